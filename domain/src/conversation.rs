//! A conversation: one person and one co-pilot; messages, and replies that take a while to arrive.

mod state;
mod transcript;

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text::{Line, Text};
use crate::upcast::newest;
use crate::{Private, StoredEvent};

pub use state::{Conversation, OpenReply, ReplyEnd, ReplyState};
pub use transcript::{ConversationStatus, Message, MessageStatus, Speaker, Transcript};

/// What a person writes in one go.
pub type MessageText = Text<32_000>;

/// What a conversation is meant to achieve.
pub type Goal = Text<2_000>;

/// What a conversation is called.
pub type ConversationTitle = Line<200>;

/// What a person says about a reply.
pub type RatingComment = Text<2_000>;

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

/// What a person thinks of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// It helped.
    Up,
    /// It did not.
    Down,
}

impl Rating {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
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
    /// It was given a name.
    #[serde(rename = "conversation_titled")]
    ConversationTitled {
        /// What it is called.
        title: Private<String>,
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
        /// The earlier answer to the same message that the person wants another one for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<Uuid>,
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
    /// The person no longer wants the answer. Whatever a worker still sends no longer counts.
    #[serde(rename = "reply_cancelled")]
    ReplyCancelled {
        /// Which answer.
        reply_id: Uuid,
        /// The attempt that was at it; 0 when no worker had begun.
        attempt: u32,
    },
    /// An answer that failed or was cancelled has a text all the same: as far as the model had come.
    #[serde(rename = "partial_reply_recorded")]
    PartialReplyRecorded {
        /// Which answer.
        reply_id: Uuid,
        /// The attempt that brought it.
        attempt: u32,
        /// What it says.
        text: Private<String>,
        /// How long the text is, in characters.
        characters: u32,
    },
    /// The person said what they think of an answer; the last word counts.
    #[serde(rename = "reply_rated")]
    ReplyRated {
        /// Which answer.
        reply_id: Uuid,
        /// What they think of it.
        rating: Rating,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Private<String>>,
    },
    /// The person put the conversation away.
    #[serde(rename = "conversation_archived")]
    ConversationArchived {},
    /// The person took the conversation out again.
    #[serde(rename = "conversation_restored")]
    ConversationRestored {},
    /// The person had its content erased. What the log says in it goes unreadable, and a reply that
    /// was awaited will not come.
    #[serde(rename = "conversation_erased")]
    ConversationErased {},
}

impl ConversationEvent {
    /// Whether something is said with it, so that the conversation moves to the top of the list: what
    /// the person makes of it otherwise, such as a title, leaves it where it is.
    pub fn is_said(&self) -> bool {
        match self {
            Self::ConversationStarted { .. }
            | Self::MessagePosted { .. }
            | Self::ReplyRequested { .. }
            | Self::ReplyStarted { .. }
            | Self::ReplyCompleted { .. }
            | Self::ReplyFailed { .. }
            | Self::ReplyCancelled { .. }
            | Self::PartialReplyRecorded { .. }
            | Self::ConversationErased {} => true,
            Self::ConversationTitled { .. }
            | Self::ReplyRated { .. }
            | Self::ConversationArchived {}
            | Self::ConversationRestored {} => false,
        }
    }
}

impl DomainEvent for ConversationEvent {
    fn event_type(&self) -> String {
        match self {
            Self::ConversationStarted { .. } => "conversation_started",
            Self::ConversationTitled { .. } => "conversation_titled",
            Self::MessagePosted { .. } => "message_posted",
            Self::ReplyRequested { .. } => "reply_requested",
            Self::ReplyStarted { .. } => "reply_started",
            Self::ReplyCompleted { .. } => "reply_completed",
            Self::ReplyFailed { .. } => "reply_failed",
            Self::ReplyCancelled { .. } => "reply_cancelled",
            Self::PartialReplyRecorded { .. } => "partial_reply_recorded",
            Self::ReplyRated { .. } => "reply_rated",
            Self::ConversationArchived {} => "conversation_archived",
            Self::ConversationRestored {} => "conversation_restored",
            Self::ConversationErased {} => "conversation_erased",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        newest::<Self>(&self.event_type()).to_owned()
    }
}

impl StoredEvent for ConversationEvent {}
