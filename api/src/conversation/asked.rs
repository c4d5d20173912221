//! What clients send about conversations, and the commands and questions that it stands for.

use fido_commands::ambient;
use fido_commands::conversation::ConversationCommand;
use fido_domain::Position;
use fido_domain::conversation::{Copilot, Goal, MessageText};
use fido_projections::conversation::{
    ActivityCursor, ConversationFilter, ConversationSummary, Order,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::answer::Limit;
use crate::cursor::Cursor;

/// What a conversation begins with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({ "copilot": "growth_engine", "goal": "More guests on weekdays" }))]
pub(super) struct NewConversation {
    /// Who is to answer.
    copilot: Copilot,
    /// What it is meant to achieve.
    goal: Option<Goal>,
    /// The plan it is about.
    plan_id: Option<Uuid>,
}

impl NewConversation {
    pub(super) fn command(self, account_id: Uuid) -> ConversationCommand {
        ConversationCommand::StartConversation {
            account_id,
            copilot: self.copilot,
            goal: self.goal,
            plan_id: self.plan_id,
        }
    }
}

/// What a person says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({ "text": "I want to open a bakery in Graz. What do I need first?" }))]
pub(super) struct NewMessage {
    /// In their own words.
    text: MessageText,
}

impl NewMessage {
    pub(super) fn command(self, account_id: Uuid) -> ConversationCommand {
        ConversationCommand::PostMessage {
            account_id,
            message_id: ambient::new_id(),
            reply_id: ambient::new_id(),
            text: self.text,
        }
    }
}

/// The parameters of `GET /v1/conversations`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// Only those of this status.
    status: Option<Status>,
    /// Only those with this co-pilot.
    copilot: Option<Copilot>,
    /// Only those about this plan.
    plan_id: Option<Uuid>,
    #[serde(default)]
    pub(super) limit: Limit,
    cursor: Option<Cursor<Activity>>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConversationStatus")]
enum Status {
    Active,
    Archived,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

impl Listing {
    pub(super) fn filter(&self) -> ConversationFilter {
        ConversationFilter {
            status: self.status.map(|status| status.as_str().to_owned()),
            copilot: self.copilot,
            plan_id: self.plan_id,
        }
    }

    pub(super) fn before(&self) -> Option<ActivityCursor> {
        self.cursor.as_ref().map(|Cursor(last)| ActivityCursor {
            last_activity_at: last.at,
            conversation_id: last.id,
        })
    }
}

/// Where a page of the list ends.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Activity {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    id: Uuid,
}

/// The cursor of the page behind `last`.
pub(super) fn activity(last: &ConversationSummary) -> Activity {
    Activity {
        at: last.last_activity_at,
        id: last.conversation_id,
    }
}

/// The parameters of `GET /v1/conversations/{id}/messages`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    /// Which end of the conversation comes first.
    #[serde(default)]
    pub(super) order: Direction,
    #[serde(default)]
    pub(super) limit: Limit,
    cursor: Option<Cursor<Position>>,
}

impl Reading {
    pub(super) fn after(&self) -> Option<Position> {
        self.cursor.map(|Cursor(position)| position)
    }
}

/// Which end of the conversation comes first.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    /// The oldest.
    #[default]
    Asc,
    /// The newest.
    Desc,
}

impl From<Direction> for Order {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Asc => Self::Oldest,
            Direction::Desc => Self::Newest,
        }
    }
}
