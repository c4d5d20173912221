//! Conversations and messages as JSON, from a replica's rows or from the events just recorded.

use fido_commands::erasure::ErasureReceipt;
use fido_commands::{Committed, Placed};
use fido_domain::conversation::ConversationEvent;
use fido_domain::{Position, Private};
use fido_projections::conversation::{ConversationSummary, MessageRow};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Answer;
use crate::answer::Shown;
use crate::problem::{Kind, Problem};

/// A conversation.
#[derive(Debug, Serialize)]
pub(super) struct Conversation {
    id: Uuid,
    copilot: String,
    title: Option<Shown>,
    goal: Option<Shown>,
    plan_id: Option<Uuid>,
    status: String,
    message_count: i64,
    #[serde(with = "time::serde::rfc3339")]
    last_activity_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl Conversation {
    /// The conversation that has just been started.
    pub(super) fn started(committed: &Committed<ConversationEvent>) -> Answer<Self> {
        let started = committed.events.iter().find_map(|(event, placed)| {
            let ConversationEvent::ConversationStarted {
                copilot,
                goal,
                plan_id,
                ..
            } = event
            else {
                return None;
            };
            Some(Self {
                id: placed.aggregate_id,
                copilot: copilot.as_str().to_owned(),
                title: None,
                goal: goal.as_ref().map(Shown::from),
                plan_id: *plan_id,
                status: "active".to_owned(),
                message_count: 0,
                last_activity_at: placed.recorded_at,
                created_at: placed.recorded_at,
            })
        });
        started.ok_or_else(|| unexpected("a conversation was started without an event"))
    }

    /// Which one it is.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }
}

impl From<ConversationSummary> for Conversation {
    fn from(row: ConversationSummary) -> Self {
        Self {
            id: row.conversation_id,
            copilot: row.copilot,
            title: row.title.as_ref().map(Shown::from),
            goal: row.goal.as_ref().map(Shown::from),
            plan_id: row.plan_id,
            status: row.status,
            message_count: row.message_count,
            last_activity_at: row.last_activity_at,
            created_at: row.created_at,
        }
    }
}

/// A message, or a reply: the message with the reply's id.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    id: Uuid,
    conversation_id: Uuid,
    role: String,
    text: Shown,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    position: Position,
}

/// What a model call used, in the provider's tokens.
#[derive(Debug, Serialize)]
struct Usage {
    input_tokens: i64,
    output_tokens: i64,
}

impl Message {
    fn new(id: Uuid, role: &str, text: &Private<String>, status: &str, at: &Placed) -> Self {
        Self {
            id,
            conversation_id: at.aggregate_id,
            role: role.to_owned(),
            text: Shown::from(text),
            status: status.to_owned(),
            model: None,
            usage: None,
            failure: None,
            created_at: at.recorded_at,
            position: at.position,
        }
    }
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.message_id,
            conversation_id: row.conversation_id,
            role: row.role,
            text: Shown::from(&row.text.unwrap_or_else(nothing_yet)),
            status: row.status,
            model: row.model,
            usage: row
                .input_tokens
                .zip(row.output_tokens)
                .map(|(input_tokens, output_tokens)| Usage {
                    input_tokens,
                    output_tokens,
                }),
            failure: row.failure,
            created_at: row.created_at,
            position: row.position,
        }
    }
}

/// What posting a message has led to.
#[derive(Debug, Serialize)]
pub(super) struct Posted {
    message: Message,
    /// The reply to come; its text is still empty.
    reply: Message,
    position: Position,
}

impl Posted {
    pub(super) fn from_log(committed: &Committed<ConversationEvent>) -> Answer<Self> {
        let (mut message, mut reply) = (None, None);
        for (event, at) in &committed.events {
            match event {
                ConversationEvent::MessagePosted {
                    message_id, text, ..
                } => {
                    message = Some(Message::new(*message_id, "user", text, "complete", at));
                }
                ConversationEvent::ReplyRequested { reply_id, .. } => {
                    let text = &nothing_yet();
                    reply = Some(Message::new(*reply_id, "assistant", text, "requested", at));
                }
                ConversationEvent::ConversationStarted { .. }
                | ConversationEvent::ReplyStarted { .. }
                | ConversationEvent::ReplyCompleted { .. }
                | ConversationEvent::ReplyFailed { .. }
                | ConversationEvent::ConversationErased {} => {}
            }
        }
        let (message, reply) = message
            .zip(reply)
            .ok_or_else(|| unexpected("a message was posted without its events"))?;
        Ok(Self {
            message,
            reply,
            position: committed.position,
        })
    }
}

/// What a reply says before it is there.
fn nothing_yet() -> Private<String> {
    Private::new(String::new())
}

/// What an erasure has led to: where the log proves it.
#[derive(Debug, Serialize)]
pub(crate) struct Erasure {
    receipt: ErasureProof,
}

#[derive(Debug, Serialize)]
struct ErasureProof {
    position: Position,
}

impl From<ErasureReceipt> for Erasure {
    fn from(receipt: ErasureReceipt) -> Self {
        Self {
            receipt: ErasureProof {
                position: receipt.position,
            },
        }
    }
}

fn unexpected(what: &'static str) -> Problem {
    Problem::new(Kind::Internal).because(what)
}
