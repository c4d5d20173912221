//! The whole of a conversation, as the person reads it.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ConversationEvent, Copilot, Rating, Usage};
use crate::{FullFold, Position, Private, Stamp};

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person.
    User,
    /// The co-pilot.
    Assistant,
}

impl Speaker {
    /// The shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// Whether a conversation is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// It is.
    #[default]
    Active,
    /// The person has put it away.
    Archived,
    /// Its content is gone for good.
    Erased,
}

impl ConversationStatus {
    /// The shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Erased => "erased",
        }
    }
}

/// Whether a message is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// All of it.
    Complete,
    /// It is awaited.
    Requested,
    /// It will not come.
    Failed,
    /// It will not come, as the person no longer wants it.
    Cancelled,
}

impl MessageStatus {
    /// The shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Requested => "requested",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A message, or a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The message's or the reply's id.
    pub message_id: Uuid,
    /// Who said it.
    pub speaker: Speaker,
    /// Whether it is all there.
    pub status: MessageStatus,
    /// What it says, or a part of it where a reply broke off; none while a reply is awaited.
    pub text: Option<Private<String>>,
    /// The model that wrote it.
    pub model: Option<String>,
    /// What the model used.
    pub usage: Option<Usage>,
    /// Why there is no reply.
    pub failure: Option<String>,
    /// The earlier reply to the same message that the person wanted another one for.
    pub replaces: Option<Uuid>,
    /// What the person thinks of it.
    pub rating: Option<Rating>,
    /// When it was posted or asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Where it entered the log; the order of the transcript.
    pub position: Position,
}

/// The whole of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Transcript {
    /// Whose it is; none before it was started.
    pub account_id: Option<Uuid>,
    /// Who answers.
    pub copilot: Option<Copilot>,
    /// What it is called, once it is.
    pub title: Option<Private<String>>,
    /// What it is meant to achieve.
    pub goal: Option<Private<String>>,
    /// The plan it is about.
    pub plan_id: Option<Uuid>,
    /// What was said, in order.
    pub messages: Vec<Message>,
    /// When it was started.
    #[serde(with = "time::serde::rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
    /// Whether it is in use.
    pub status: ConversationStatus,
    /// When something was last said in it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_activity_at: Option<OffsetDateTime>,
    /// When it was erased.
    #[serde(with = "time::serde::rfc3339::option")]
    pub erased_at: Option<OffsetDateTime>,
    /// How long its stream is.
    pub sequence: i64,
}

impl Transcript {
    /// One of its messages or replies.
    pub fn message(&self, message_id: Uuid) -> Option<&Message> {
        self.messages
            .iter()
            .rfind(|message| message.message_id == message_id)
    }

    fn message_mut(&mut self, message_id: Uuid) -> Option<&mut Message> {
        self.messages
            .iter_mut()
            .rev()
            .find(|message| message.message_id == message_id)
    }

    /// The key goes after the event; nothing is shown in between.
    fn erase(&mut self, at: OffsetDateTime) {
        self.erased_at = Some(at);
        self.status = ConversationStatus::Erased;
        self.title = self.title.as_ref().map(|_| Private::Erased);
        self.goal = self.goal.as_ref().map(|_| Private::Erased);
        for message in &mut self.messages {
            message.text = message.text.as_ref().map(|_| Private::Erased);
            if message.status == MessageStatus::Requested {
                message.status = MessageStatus::Cancelled;
            }
        }
    }
}

impl FullFold for Transcript {
    type Event = ConversationEvent;

    fn evolve(&mut self, event: &ConversationEvent, stamp: Stamp) {
        self.sequence = stamp.sequence;
        if event.is_said() {
            self.last_activity_at = Some(stamp.recorded_at);
        }
        match event {
            ConversationEvent::ConversationStarted {
                account_id,
                copilot,
                goal,
                plan_id,
            } => {
                self.account_id = Some(*account_id);
                self.copilot = Some(*copilot);
                self.goal.clone_from(goal);
                self.plan_id = *plan_id;
                self.created_at = Some(stamp.recorded_at);
            }
            ConversationEvent::ConversationTitled { title } => self.title = Some(title.clone()),
            ConversationEvent::MessagePosted {
                message_id, text, ..
            } => {
                let said = Some(text.clone());
                let (speaker, status) = (Speaker::User, MessageStatus::Complete);
                self.messages
                    .push(message(*message_id, speaker, status, said, stamp));
            }
            ConversationEvent::ReplyRequested {
                reply_id, replaces, ..
            } => {
                let (speaker, status) = (Speaker::Assistant, MessageStatus::Requested);
                let mut reply = message(*reply_id, speaker, status, None, stamp);
                reply.replaces = *replaces;
                self.messages.push(reply);
            }
            ConversationEvent::ReplyStarted { .. } => {}
            ConversationEvent::ReplyCompleted {
                reply_id,
                text,
                model,
                usage,
                ..
            } => {
                if let Some(reply) = self.message_mut(*reply_id) {
                    reply.status = MessageStatus::Complete;
                    reply.text = Some(text.clone());
                    reply.model = Some(model.clone());
                    reply.usage = Some(*usage);
                }
            }
            ConversationEvent::ReplyFailed {
                reply_id, reason, ..
            } => {
                if let Some(reply) = self.message_mut(*reply_id) {
                    reply.status = MessageStatus::Failed;
                    reply.failure = Some(reason.clone());
                }
            }
            ConversationEvent::ReplyCancelled { reply_id, .. } => {
                if let Some(reply) = self.message_mut(*reply_id) {
                    reply.status = MessageStatus::Cancelled;
                }
            }
            ConversationEvent::PartialReplyRecorded { reply_id, text, .. } => {
                if let Some(reply) = self.message_mut(*reply_id) {
                    reply.text = Some(text.clone());
                }
            }
            ConversationEvent::ReplyRated {
                reply_id, rating, ..
            } => {
                if let Some(reply) = self.message_mut(*reply_id) {
                    reply.rating = Some(*rating);
                }
            }
            ConversationEvent::ConversationArchived {} => {
                self.status = ConversationStatus::Archived;
            }
            ConversationEvent::ConversationRestored {} => self.status = ConversationStatus::Active,
            ConversationEvent::ConversationErased {} => self.erase(stamp.recorded_at),
        }
    }
}

fn message(
    message_id: Uuid,
    speaker: Speaker,
    status: MessageStatus,
    text: Option<Private<String>>,
    stamp: Stamp,
) -> Message {
    Message {
        message_id,
        speaker,
        status,
        text,
        model: None,
        usage: None,
        failure: None,
        replaces: None,
        rating: None,
        created_at: stamp.recorded_at,
        position: stamp.position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::testing::stamp;

    const ADA: Uuid = Uuid::from_u128(1);
    const MESSAGE: Uuid = Uuid::from_u128(2);
    const REPLY: Uuid = Uuid::from_u128(3);
    const USAGE: Usage = Usage {
        input_tokens: 5,
        output_tokens: 6,
    };

    fn said() -> Vec<ConversationEvent> {
        vec![
            ConversationEvent::ConversationStarted {
                account_id: ADA,
                copilot: Copilot::GrowthEngine,
                goal: Some("More guests".to_owned().into()),
                plan_id: None,
            },
            ConversationEvent::MessagePosted {
                message_id: MESSAGE,
                text: "A bakery".to_owned().into(),
                characters: 8,
            },
            ConversationEvent::ReplyRequested {
                reply_id: REPLY,
                message_id: MESSAGE,
                copilot: Copilot::GrowthEngine,
                replaces: None,
            },
            ConversationEvent::ReplyStarted {
                reply_id: REPLY,
                attempt: 1,
            },
        ]
    }

    fn completed() -> ConversationEvent {
        ConversationEvent::ReplyCompleted {
            reply_id: REPLY,
            attempt: 1,
            text: "Flour!".to_owned().into(),
            characters: 6,
            model: "m".to_owned(),
            usage: USAGE,
        }
    }

    fn transcript(events: &[ConversationEvent]) -> Transcript {
        Transcript::fold(events.iter().zip((1..).map(stamp)))
    }

    #[test]
    fn a_reply_fills_its_place_in_the_transcript() {
        let awaited = transcript(&said());
        assert_eq!(awaited.messages[1].status, MessageStatus::Requested);
        assert_eq!(awaited.messages[1].text, None);
        let mut events = said();
        events.push(completed());
        let whole = transcript(&events);
        let reply = &whole.messages[1];
        assert_eq!(reply.status, MessageStatus::Complete);
        assert_eq!(reply.text, Some("Flour!".to_owned().into()));
        assert_eq!(reply.usage, Some(USAGE));
        assert_eq!(reply.position, 3, "where it was asked for");
        assert_eq!(whole.last_activity_at, Some(stamp(5).recorded_at));
        assert_eq!(whole.sequence, 5);
    }

    #[test]
    fn nothing_is_left_to_read_of_an_erased_conversation() {
        let mut events = said();
        events.push(ConversationEvent::ConversationErased {});
        let erased = transcript(&events);
        assert_eq!(erased.goal, Some(Private::Erased));
        assert_eq!(erased.messages[0].text, Some(Private::Erased));
        assert_eq!(erased.messages[1].status, MessageStatus::Cancelled);
        assert_eq!(erased.erased_at, Some(stamp(5).recorded_at));
    }
}
