//! How usage adds up. Sums do not depend on order, so it does not matter which stream comes first.

use std::collections::BTreeMap;

use fido_domain::Recorded;
use fido_domain::conversation::{ConversationEvent, Usage};
use fido_domain::plan::PlanEvent;
use sqlx::PgConnection;
use time::{Date, UtcOffset};
use uuid::Uuid;

use super::PLAN_GENERATION;
use crate::query::{Query, column};

/// In place of a model that was not named.
const UNNAMED: &str = "unnamed";

// Who answers stands in the first event of a conversation, so it is asked of its row.
pub(super) const REPLIES: Query = Query::write(
    "usage.add_replies",
    "insert into usage_by_day as u (account_id, day, copilot, model, answers, input_tokens, output_tokens) \
     select t.account_id, t.day, c.copilot, t.model, sum(t.answers)::bigint, \
            sum(t.input_tokens)::bigint, sum(t.output_tokens)::bigint \
     from unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) \
          as t (account_id, day, conversation_id, model, answers, input_tokens, output_tokens) \
          join conversations c on c.conversation_id = t.conversation_id \
     group by t.account_id, t.day, c.copilot, t.model \
     on conflict (account_id, day, copilot, model) do update \
     set answers = u.answers + excluded.answers, \
         input_tokens = u.input_tokens + excluded.input_tokens, \
         output_tokens = u.output_tokens + excluded.output_tokens",
);

pub(super) const SECTIONS: Query = Query::write(
    "usage.add_sections",
    "insert into usage_by_day as u (account_id, day, copilot, model, answers, input_tokens, output_tokens) \
     select account_id, day, $1::text, model, answers, input_tokens, output_tokens \
     from unnest($2::uuid[], $3::date[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) \
          as t (account_id, day, model, answers, input_tokens, output_tokens) \
     on conflict (account_id, day, copilot, model) do update \
     set answers = u.answers + excluded.answers, \
         input_tokens = u.input_tokens + excluded.input_tokens, \
         output_tokens = u.output_tokens + excluded.output_tokens",
);

pub(super) const MESSAGES: Query = Query::write(
    "usage.add_messages",
    "insert into messages_by_day as m (account_id, day, copilot, messages) \
     select t.account_id, t.day, c.copilot, sum(t.messages)::bigint \
     from unnest($1::uuid[], $2::date[], $3::uuid[], $4::bigint[]) \
          as t (account_id, day, conversation_id, messages) \
          join conversations c on c.conversation_id = t.conversation_id \
     group by t.account_id, t.day, c.copilot \
     on conflict (account_id, day, copilot) do update set messages = m.messages + excluded.messages",
);

/// What a batch adds to what accounts have used.
#[derive(Default)]
pub(crate) struct Changes {
    /// By account, day, conversation and model.
    replies: BTreeMap<(Uuid, Date, Uuid, String), Tally>,
    /// By account, day and model.
    sections: BTreeMap<(Uuid, Date, String), Tally>,
    /// Messages by account, day and conversation.
    messages: BTreeMap<(Uuid, Date, Uuid), i64>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    answers: i64,
    input_tokens: i64,
    output_tokens: i64,
}

impl Tally {
    fn add(&mut self, usage: Usage) {
        self.answers += 1;
        self.input_tokens += i64::from(usage.input_tokens);
        self.output_tokens += i64::from(usage.output_tokens);
    }
}

fn day(recorded: &Recorded) -> Date {
    recorded.recorded_at.to_offset(UtcOffset::UTC).date()
}

impl Changes {
    pub(crate) fn take_conversation(
        &mut self,
        account_id: Uuid,
        recorded: &Recorded,
        event: &ConversationEvent,
    ) {
        let id = recorded.aggregate_id;
        match event {
            ConversationEvent::MessagePosted { .. } => {
                let key = (account_id, day(recorded), id);
                *self.messages.entry(key).or_default() += 1;
            }
            ConversationEvent::ReplyCompleted { model, usage, .. } => {
                let key = (account_id, day(recorded), id, model.clone());
                self.replies.entry(key).or_default().add(*usage);
            }
            ConversationEvent::ConversationStarted { .. }
            | ConversationEvent::ConversationTitled { .. }
            | ConversationEvent::ReplyRequested { .. }
            | ConversationEvent::ReplyStarted { .. }
            | ConversationEvent::ReplyFailed { .. }
            | ConversationEvent::ReplyCancelled { .. }
            | ConversationEvent::PartialReplyRecorded { .. }
            | ConversationEvent::ReplyRated { .. }
            | ConversationEvent::ConversationArchived {}
            | ConversationEvent::ConversationRestored {}
            | ConversationEvent::ConversationErased {} => {}
        }
    }

    pub(crate) fn take_plan(&mut self, account_id: Uuid, recorded: &Recorded, event: &PlanEvent) {
        let (model, usage) = match event {
            PlanEvent::SectionDrafted {
                model,
                usage: Some(usage),
                ..
            }
            | PlanEvent::SectionSkipped { model, usage, .. } => (model.as_str(), *usage),
            PlanEvent::SectionFailed {
                model,
                usage: Some(usage),
                ..
            } => (model.as_deref().unwrap_or(UNNAMED), *usage),
            // What a conversation drafted stands on its reply; what failed without a word used nothing.
            PlanEvent::SectionDrafted { usage: None, .. }
            | PlanEvent::SectionFailed { usage: None, .. }
            | PlanEvent::PlanStarted { .. }
            | PlanEvent::PlanDescribed { .. }
            | PlanEvent::SectionRevised { .. }
            | PlanEvent::SectionRestored { .. }
            | PlanEvent::SectionApproved { .. }
            | PlanEvent::SectionReopened { .. }
            | PlanEvent::FactRecorded { .. }
            | PlanEvent::FactWithdrawn { .. }
            | PlanEvent::GenerationRequested { .. }
            | PlanEvent::GenerationStarted { .. }
            | PlanEvent::GenerationCompleted { .. }
            | PlanEvent::GenerationFailed { .. }
            | PlanEvent::GenerationCancelled { .. }
            | PlanEvent::PlanArchived {}
            | PlanEvent::PlanRestored {} => return,
        };
        let key = (account_id, day(recorded), model.to_owned());
        self.sections.entry(key).or_default().add(usage);
    }

    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.replies.is_empty() {
            let rows = &self.replies;
            REPLIES
                .ask()
                .bind(column!(rows, |((account_id, ..), _)| *account_id))
                .bind(column!(rows, |((_, day, ..), _)| *day))
                .bind(column!(rows, |((_, _, conversation, _), _)| *conversation))
                .bind(column!(rows, |((.., model), _)| model.as_str()))
                .bind(column!(rows, |(_, tally)| tally.answers))
                .bind(column!(rows, |(_, tally)| tally.input_tokens))
                .bind(column!(rows, |(_, tally)| tally.output_tokens))
                .execute(&mut *replica)
                .await?;
        }
        if !self.sections.is_empty() {
            let rows = &self.sections;
            SECTIONS
                .ask()
                .bind(PLAN_GENERATION)
                .bind(column!(rows, |((account_id, ..), _)| *account_id))
                .bind(column!(rows, |((_, day, _), _)| *day))
                .bind(column!(rows, |((.., model), _)| model.as_str()))
                .bind(column!(rows, |(_, tally)| tally.answers))
                .bind(column!(rows, |(_, tally)| tally.input_tokens))
                .bind(column!(rows, |(_, tally)| tally.output_tokens))
                .execute(&mut *replica)
                .await?;
        }
        if !self.messages.is_empty() {
            let rows = &self.messages;
            MESSAGES
                .ask()
                .bind(column!(rows, |((account_id, ..), _)| *account_id))
                .bind(column!(rows, |((_, day, _), _)| *day))
                .bind(column!(rows, |((.., conversation), _)| *conversation))
                .bind(column!(rows, |(_, messages)| *messages))
                .execute(replica)
                .await?;
        }
        Ok(())
    }
}
