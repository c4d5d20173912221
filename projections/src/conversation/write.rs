//! How changes of conversations and messages are written.

use fido_domain::conversation::{ConversationStatus, Rating};
use sqlx::PgConnection;

use super::changes::{Change, Changes, MessageChange};
use crate::query::{Query, column};

pub(super) const INSERT: Query = Query::write(
    "conversation.insert",
    "insert into conversations (conversation_id, account_id, copilot, title, goal, plan_id, status, \
                                message_count, sequence, created_at, last_activity_at) \
     select conversation_id, account_id, copilot, title::json, goal::json, plan_id, status, said, \
            sequence, created_at, last_activity_at \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], \
                 $8::bigint[], $9::bigint[], $10::timestamptz[], $11::timestamptz[]) \
          as t (conversation_id, account_id, copilot, title, goal, plan_id, status, \
                said, sequence, created_at, last_activity_at)",
);

pub(super) const UPDATE: Query = Query::write(
    "conversation.update",
    r#"update conversations c
       set message_count = c.message_count + t.said,
           sequence = t.sequence,
           last_activity_at = coalesce(t.last_activity_at, c.last_activity_at),
           status = coalesce(t.status, c.status),
           title = case when t.status = 'erased' and c.title is not null then '{"erased":true}'
                        else coalesce(t.title::json, c.title) end,
           goal = case when t.status = 'erased' and c.goal is not null then '{"erased":true}'
                       else c.goal end
       from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[])
            as t (conversation_id, title, status, said, sequence, last_activity_at)
       where c.conversation_id = t.conversation_id"#,
);

pub(super) const MESSAGE_ERASE: Query = Query::write(
    "messages.erase",
    r#"update messages
       set text = case when text is not null then '{"erased":true}'::json end,
           status = case status when 'requested' then 'cancelled' else status end
       where conversation_id = any($1::uuid[])"#,
);

pub(super) const MESSAGE_INSERT: Query = Query::write(
    "messages.insert",
    "insert into messages (conversation_id, message_id, role, created_at, position, status, text, \
                           characters, model, input_tokens, output_tokens, failure, settled_at, \
                           replaces) \
     select conversation_id, message_id, role, created_at, position, status, text::json, \
            characters, model, input_tokens, output_tokens, failure, settled_at, replaces \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[], $6::text[], \
                 $7::text[], $8::integer[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], \
                 $13::timestamptz[], $14::uuid[]) \
          as t (conversation_id, message_id, role, created_at, position, status, text, \
                characters, model, input_tokens, output_tokens, failure, settled_at, replaces)",
);

pub(super) const MESSAGE_UPDATE: Query = Query::write(
    "messages.update",
    "update messages m \
     set status = t.status, text = t.text::json, characters = t.characters, model = t.model, \
         input_tokens = t.input_tokens, output_tokens = t.output_tokens, failure = t.failure, \
         settled_at = t.settled_at \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::text[], \
                 $7::bigint[], $8::bigint[], $9::text[], $10::timestamptz[]) \
          as t (conversation_id, message_id, status, text, characters, model, \
                input_tokens, output_tokens, failure, settled_at) \
     where m.conversation_id = t.conversation_id and m.message_id = t.message_id",
);

pub(super) const MESSAGE_ADD: Query = Query::write(
    "messages.add",
    "update messages m \
     set text = coalesce(t.text::json, m.text), characters = coalesce(t.characters, m.characters), \
         rating = coalesce(t.rating, m.rating) \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[]) \
          as t (conversation_id, message_id, text, characters, rating) \
     where m.conversation_id = t.conversation_id and m.message_id = t.message_id",
);

impl Changes {
    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.write_conversations(replica).await?;
        self.write_messages(replica).await?;
        self.write_additions(replica).await
    }

    async fn write_conversations(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (id, change) in &self.conversations {
            match &change.started {
                Some(started) => new.push((*id, change, started)),
                None => old.push((*id, change)),
            }
        }
        if !new.is_empty() {
            INSERT
                .ask()
                .bind(column!(new, |(id, ..)| *id))
                .bind(column!(new, |(.., new)| new.account_id))
                .bind(column!(new, |(.., new)| new.copilot.as_str()))
                .bind(column!(new, |(_, change, _)| change.title.as_deref()))
                .bind(column!(new, |(.., new)| new.goal.as_deref()))
                .bind(column!(new, |(.., new)| new.plan_id))
                .bind(column!(new, |(_, change, _)| change
                    .status
                    .unwrap_or_default()
                    .as_str()))
                .bind(column!(new, |(_, change, _)| change.said))
                .bind(column!(new, |(_, change, _)| change.sequence))
                .bind(column!(new, |(.., new)| new.created_at))
                .bind(column!(new, |(_, change, _)| change.last_activity_at))
                .execute(&mut *replica)
                .await?;
        }
        if old.is_empty() {
            return Ok(());
        }
        let is_erased = |change: &Change| change.status == Some(ConversationStatus::Erased);
        let erased = old.iter().filter(|(_, change)| is_erased(change));
        let erased: Vec<_> = erased.map(|(id, _)| *id).collect();
        if !erased.is_empty() {
            MESSAGE_ERASE
                .ask()
                .bind(erased)
                .execute(&mut *replica)
                .await?;
        }
        UPDATE
            .ask()
            .bind(column!(old, |(id, _)| *id))
            .bind(column!(old, |(_, change)| change.title.as_deref()))
            .bind(column!(old, |(_, change)| change
                .status
                .map(ConversationStatus::as_str)))
            .bind(column!(old, |(_, change)| change.said))
            .bind(column!(old, |(_, change)| change.sequence))
            .bind(column!(old, |(_, change)| change.last_activity_at))
            .execute(replica)
            .await?;
        Ok(())
    }

    async fn write_messages(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (id, MessageChange { entered, content }) in &self.messages {
            match entered {
                Some(entered) => new.push((*id, entered, content)),
                None => old.push((*id, content)),
            }
        }
        if !new.is_empty() {
            MESSAGE_INSERT
                .ask()
                .bind(column!(new, |((conversation, _), ..)| *conversation))
                .bind(column!(new, |((_, message), ..)| *message))
                .bind(column!(new, |(_, entered, _)| entered.role))
                .bind(column!(new, |(_, entered, _)| entered.created_at))
                .bind(column!(new, |(_, entered, _)| entered.position))
                .bind(column!(new, |(.., content)| content.status))
                .bind(column!(new, |(.., content)| content.text.as_deref()))
                .bind(column!(new, |(.., content)| content.characters))
                .bind(column!(new, |(.., content)| content.model.as_deref()))
                .bind(column!(new, |(.., content)| content.input_tokens))
                .bind(column!(new, |(.., content)| content.output_tokens))
                .bind(column!(new, |(.., content)| content.failure.as_deref()))
                .bind(column!(new, |(.., content)| content.settled_at))
                .bind(column!(new, |(_, entered, _)| entered.replaces))
                .execute(&mut *replica)
                .await?;
        }
        if !old.is_empty() {
            MESSAGE_UPDATE
                .ask()
                .bind(column!(old, |((conversation, _), _)| *conversation))
                .bind(column!(old, |((_, message), _)| *message))
                .bind(column!(old, |(_, content)| content.status))
                .bind(column!(old, |(_, content)| content.text.as_deref()))
                .bind(column!(old, |(_, content)| content.characters))
                .bind(column!(old, |(_, content)| content.model.as_deref()))
                .bind(column!(old, |(_, content)| content.input_tokens))
                .bind(column!(old, |(_, content)| content.output_tokens))
                .bind(column!(old, |(_, content)| content.failure.as_deref()))
                .bind(column!(old, |(_, content)| content.settled_at))
                .execute(replica)
                .await?;
        }
        Ok(())
    }

    async fn write_additions(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let rows = &self.additions;
        if rows.is_empty() {
            return Ok(());
        }
        MESSAGE_ADD
            .ask()
            .bind(column!(rows, |((conversation, _), _)| *conversation))
            .bind(column!(rows, |((_, message), _)| *message))
            .bind(column!(rows, |(_, addition)| addition.text.as_deref()))
            .bind(column!(rows, |(_, addition)| addition.characters))
            .bind(column!(rows, |(_, addition)| addition
                .rating
                .map(Rating::as_str)))
            .execute(replica)
            .await?;
        Ok(())
    }
}
