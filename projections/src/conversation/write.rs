//! How changes of conversations and messages are written.

use sqlx::PgConnection;

use super::changes::{Changes, MessageChange};
use crate::query::{Query, column};

pub(super) const INSERT: Query = Query::write(
    "conversation.insert",
    "insert into conversations (conversation_id, account_id, copilot, goal, plan_id, status, \
                                message_count, sequence, created_at, last_activity_at) \
     select conversation_id, account_id, copilot, goal::json, plan_id, \
            case when erased then 'erased' else 'active' end, said, sequence, created_at, last_activity_at \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::boolean[], \
                 $7::bigint[], $8::bigint[], $9::timestamptz[], $10::timestamptz[]) \
          as t (conversation_id, account_id, copilot, goal, plan_id, erased, \
                said, sequence, created_at, last_activity_at)",
);

pub(super) const UPDATE: Query = Query::write(
    "conversation.update",
    r#"update conversations c
       set message_count = c.message_count + t.said,
           sequence = t.sequence,
           last_activity_at = t.last_activity_at,
           status = case when t.erased then 'erased' else c.status end,
           title = case when t.erased and c.title is not null then '{"erased":true}' else c.title end,
           goal = case when t.erased and c.goal is not null then '{"erased":true}' else c.goal end
       from unnest($1::uuid[], $2::boolean[], $3::bigint[], $4::bigint[], $5::timestamptz[])
            as t (conversation_id, erased, said, sequence, last_activity_at)
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
                           characters, model, input_tokens, output_tokens, failure, settled_at) \
     select conversation_id, message_id, role, created_at, position, status, text::json, \
            characters, model, input_tokens, output_tokens, failure, settled_at \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[], $6::text[], \
                 $7::text[], $8::integer[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], \
                 $13::timestamptz[]) \
          as t (conversation_id, message_id, role, created_at, position, status, text, \
                characters, model, input_tokens, output_tokens, failure, settled_at)",
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

impl Changes {
    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.write_conversations(replica).await?;
        self.write_messages(replica).await
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
                .bind(column!(new, |(.., new)| new.goal.as_deref()))
                .bind(column!(new, |(.., new)| new.plan_id))
                .bind(column!(new, |(_, change, _)| change.erased))
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
        let erased = old.iter().filter(|(_, change)| change.erased);
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
            .bind(column!(old, |(_, change)| change.erased))
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
}
