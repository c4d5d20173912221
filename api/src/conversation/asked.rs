//! What clients send about conversations, and the commands and questions that it stands for.

use fido_commands::ambient;
use fido_commands::conversation::ConversationCommand;
use fido_domain::Position;
use fido_domain::conversation::{
    ConversationTitle, Copilot, Goal, MessageText, Rating, RatingComment,
};
use fido_projections::conversation::{
    ActivityCursor, ConversationFilter, ConversationSummary, Order,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::answer::Limit;
use crate::cursor::Cursor;
use crate::extract::given;

/// The body of `POST /v1/conversations`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConversation {
    copilot: Copilot,
    goal: Option<Goal>,
    pub(super) plan_id: Option<Uuid>,
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

/// The body of `PATCH /v1/conversations/{id}`: what is different from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filed {
    /// What the conversation is called.
    #[serde(default, deserialize_with = "given")]
    title: Option<ConversationTitle>,
    /// Whether it is in use: `active`, or put away as `archived`.
    #[serde(default, deserialize_with = "given")]
    status: Option<Status>,
}

impl Filed {
    pub(super) fn command(self, account_id: Uuid) -> ConversationCommand {
        ConversationCommand::FileConversation {
            account_id,
            title: self.title,
            archived: self.status.map(|status| match status {
                Status::Active => false,
                Status::Archived => true,
            }),
        }
    }
}

/// The body of `PUT /v1/conversations/{id}/replies/{reply_id}/rating`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRating {
    /// `up` or `down`.
    rating: Rating,
    /// Why.
    comment: Option<RatingComment>,
}

impl NewRating {
    pub(super) fn command(self, account_id: Uuid, reply_id: Uuid) -> ConversationCommand {
        ConversationCommand::RateReply {
            account_id,
            reply_id,
            rating: self.rating,
            comment: self.comment,
        }
    }
}

/// The body of `POST /v1/conversations/{id}/messages`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    status: Option<Status>,
    copilot: Option<Copilot>,
    plan_id: Option<Uuid>,
    #[serde(default)]
    pub(super) limit: Limit,
    cursor: Option<Cursor<Activity>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
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
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    #[default]
    Asc,
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
