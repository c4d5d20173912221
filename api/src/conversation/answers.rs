//! Conversations and messages as JSON, from a replica's rows or from the events just recorded.

use fido_commands::erasure::ErasureReceipt;
use fido_commands::{Committed, Placed};
use fido_domain::conversation::ConversationEvent;
use fido_domain::{Position, Private};
use fido_projections::conversation::{ConversationSummary, MessageRow};
use schemars::JsonSchema;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Answer;
use crate::answer::Shown;
use crate::problem::{Kind, Problem};

/// A conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Conversation {
    /// Its id.
    id: Uuid,
    /// Who answers.
    copilot: String,
    /// What it is called, once it is.
    title: Option<Shown>,
    /// What it is meant to achieve.
    goal: Option<Shown>,
    /// The plan it is about.
    plan_id: Option<Uuid>,
    /// `active` or `archived`.
    status: String,
    /// How many messages and replies it has.
    message_count: i64,
    /// When something was said last.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    last_activity_at: OffsetDateTime,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
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
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Message {
    /// Its id; of a reply, the reply's.
    id: Uuid,
    /// Where it was said.
    conversation_id: Uuid,
    /// Who says it: `user` or `assistant`.
    role: String,
    /// What it says; empty until a reply is complete.
    text: Shown,
    /// `complete`, `requested`, `failed` or `cancelled`.
    status: String,
    /// The model that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// What writing it used.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    /// Why there is no reply, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// When it was said.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: OffsetDateTime,
    /// Where in the log it is.
    position: Position,
}

/// What a model call used, in the provider's tokens.
#[derive(Debug, Serialize, JsonSchema)]
struct Usage {
    /// Tokens of the prompt.
    input_tokens: i64,
    /// Tokens of the answer.
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
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Posted {
    /// What was said.
    message: Message,
    /// The reply to come; its text is still empty.
    reply: Message,
    /// What the stream tells of it after.
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
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Erasure {
    /// Where the log proves it.
    receipt: ErasureProof,
}

/// Where in the log an erasure stands.
#[derive(Debug, Serialize, JsonSchema)]
struct ErasureProof {
    /// The position of the event.
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
