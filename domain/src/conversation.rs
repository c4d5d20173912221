//! A conversation: one person and one co-pilot; messages, and replies that take a while to arrive.

mod transcript;

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text::Text;
use crate::upcast::newest;
use crate::{Evolve, Private, StoredEvent};

pub use transcript::{Message, MessageStatus, Speaker, Transcript};

/// What a person writes in one go.
pub type MessageText = Text<32_000>;

/// What a conversation is meant to achieve.
pub type Goal = Text<2_000>;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Copilot {
    /// Writes the plan, section by section.
    BusinessPlanArchitect,
    /// Finds the money: loans, grants, investors.
    FundingNavigator,
    /// Finds the customers: marketing, sales, growth.
    GrowthEngine,
}

impl Copilot {
    /// All three, in the order in which they are shown.
    pub const ALL: [Self; 3] = [
        Self::BusinessPlanArchitect,
        Self::FundingNavigator,
        Self::GrowthEngine,
    ];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BusinessPlanArchitect => "business_plan_architect",
            Self::FundingNavigator => "funding_navigator",
            Self::GrowthEngine => "growth_engine",
        }
    }
}

/// What a model call used, in the provider's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
}

impl Usage {
    /// Both together; saturates.
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
        }
    }
}

/// What can happen in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum ConversationEvent {
    /// A person turned to a co-pilot.
    #[serde(rename = "conversation_started")]
    ConversationStarted {
        /// Whose conversation it is.
        account_id: Uuid,
        /// Who answers.
        copilot: Copilot,
        /// What it is meant to achieve.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goal: Option<Private<String>>,
        /// The plan it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan_id: Option<Uuid>,
    },
    /// The person wrote something.
    #[serde(rename = "message_posted")]
    MessagePosted {
        /// The message.
        message_id: Uuid,
        /// What it says.
        text: Private<String>,
        /// How long the text is, in characters.
        characters: u32,
    },
    /// The person waits for an answer; co-pilot workers listen for this.
    #[serde(rename = "reply_requested")]
    ReplyRequested {
        /// The answer to come.
        reply_id: Uuid,
        /// The message it answers.
        message_id: Uuid,
        /// Who is asked.
        copilot: Copilot,
    },
    /// A worker began to answer. Whatever an earlier attempt still sends no longer counts.
    #[serde(rename = "reply_started")]
    ReplyStarted {
        /// Which answer.
        reply_id: Uuid,
        /// 1 for the first worker, 2 for the one that took over, …
        attempt: u32,
    },
    /// The answer is there.
    #[serde(rename = "reply_completed")]
    ReplyCompleted {
        /// Which answer.
        reply_id: Uuid,
        /// The attempt that brought it.
        attempt: u32,
        /// What it says.
        text: Private<String>,
        /// How long the text is, in characters.
        characters: u32,
        /// The model that wrote it.
        model: String,
        /// What it used.
        usage: Usage,
    },
    /// There will be no answer.
    #[serde(rename = "reply_failed")]
    ReplyFailed {
        /// Which answer.
        reply_id: Uuid,
        /// The attempt that failed last.
        attempt: u32,
        /// Why, as a stable code such as `timeout_first_token`.
        reason: String,
    },
    /// The person had its content erased. What the log says in it goes unreadable, and a reply that
    /// was awaited will not come.
    #[serde(rename = "conversation_erased")]
    ConversationErased {},
}

impl DomainEvent for ConversationEvent {
    fn event_type(&self) -> String {
        match self {
            Self::ConversationStarted { .. } => "conversation_started",
            Self::MessagePosted { .. } => "message_posted",
            Self::ReplyRequested { .. } => "reply_requested",
            Self::ReplyStarted { .. } => "reply_started",
            Self::ReplyCompleted { .. } => "reply_completed",
            Self::ReplyFailed { .. } => "reply_failed",
            Self::ConversationErased {} => "conversation_erased",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        newest::<Self>(&self.event_type()).to_owned()
    }
}

impl StoredEvent for ConversationEvent {}

/// What decisions about a conversation need to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Conversation {
    owner: Option<Uuid>,
    copilot: Option<Copilot>,
    open_reply: Option<OpenReply>,
    last_settled: Option<Uuid>,
    erased: bool,
}

/// A reply that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReply {
    /// Which.
    pub reply_id: Uuid,
    /// How many workers have begun it; 0 when none has.
    pub attempt: u32,
}

impl Conversation {
    /// Whose it is; none when it was never started.
    pub fn owner(&self) -> Option<Uuid> {
        self.owner
    }

    /// Who answers.
    pub fn copilot(&self) -> Option<Copilot> {
        self.copilot
    }

    /// The reply that is awaited, if one is.
    pub fn open_reply(&self) -> Option<OpenReply> {
        self.open_reply
    }

    /// Whether `reply_id` was the last reply to be completed or to fail.
    pub fn has_settled(&self, reply_id: Uuid) -> bool {
        self.last_settled == Some(reply_id)
    }

    /// Whether its content was erased.
    pub fn is_erased(&self) -> bool {
        self.erased
    }
}

impl Evolve for Conversation {
    const TYPE: &'static str = "conversation";
    type Event = ConversationEvent;

    fn evolve(&mut self, event: &ConversationEvent) {
        match event {
            ConversationEvent::ConversationStarted {
                account_id,
                copilot,
                ..
            } => {
                self.owner = Some(*account_id);
                self.copilot = Some(*copilot);
            }
            ConversationEvent::MessagePosted { .. } => {}
            ConversationEvent::ReplyRequested { reply_id, .. } => {
                self.open_reply = Some(OpenReply {
                    reply_id: *reply_id,
                    attempt: 0,
                });
            }
            ConversationEvent::ReplyStarted { reply_id, attempt } => {
                self.open_reply = Some(OpenReply {
                    reply_id: *reply_id,
                    attempt: *attempt,
                });
            }
            ConversationEvent::ReplyCompleted { reply_id, .. }
            | ConversationEvent::ReplyFailed { reply_id, .. } => {
                self.open_reply = None;
                self.last_settled = Some(*reply_id);
            }
            ConversationEvent::ConversationErased {} => {
                self.open_reply = None;
                self.erased = true;
            }
        }
    }
}
