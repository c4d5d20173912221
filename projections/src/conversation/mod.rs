//! Conversations as seen: the list, and the transcript of each.

mod apply;
mod open;
mod transcript;

use fido_domain::Private;
use fido_domain::conversation::Copilot;
use sqlx::postgres::PgRow;
use sqlx::{QueryBuilder, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{ReadError, Snapshot, private_if_any};

pub(crate) use apply::apply;
pub use open::open_requests;
pub use transcript::{MessageRow, Order, transcript};

/// A line of the list of conversations.
#[derive(Debug, Clone)]
pub struct ConversationSummary {
    /// The conversation.
    pub conversation_id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// Who answers.
    pub copilot: String,
    /// What it is called, once it is.
    pub title: Option<Private<String>>,
    /// What it is meant to achieve.
    pub goal: Option<Private<String>>,
    /// The plan it is about.
    pub plan_id: Option<Uuid>,
    /// `active`, or `erased`.
    pub status: String,
    /// Messages and replies.
    pub message_count: i64,
    /// The conversation's stream is this long.
    pub sequence: i64,
    /// When it was started.
    pub created_at: OffsetDateTime,
    /// When something was last said.
    pub last_activity_at: OffsetDateTime,
}

/// Which conversations to list; everything that is set must match.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// In this status.
    pub status: Option<String>,
    /// With this co-pilot.
    pub copilot: Option<Copilot>,
    /// About this plan.
    pub plan_id: Option<Uuid>,
}

/// The last line of a page of the list; the next page begins behind it.
#[derive(Debug, Clone, Copy)]
pub struct ActivityCursor {
    /// When something was last said in it.
    pub last_activity_at: OffsetDateTime,
    /// Which it was.
    pub conversation_id: Uuid,
}

const COLUMNS: &str = "select conversation_id, account_id, copilot, title, goal, plan_id, status, \
                              message_count, sequence, created_at, last_activity_at from conversations ";

/// Conversations of `account_id`, the latest activity first.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn list(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    filter: &ConversationFilter,
    before: Option<ActivityCursor>,
    limit: i64,
) -> Result<Vec<ConversationSummary>, ReadError> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push("where account_id = ").push_bind(account_id);
    if let Some(status) = &filter.status {
        query.push(" and status = ").push_bind(status);
    }
    if let Some(copilot) = filter.copilot {
        query.push(" and copilot = ").push_bind(copilot.as_str());
    }
    if let Some(plan_id) = filter.plan_id {
        query.push(" and plan_id = ").push_bind(plan_id);
    }
    if let Some(before) = before {
        query
            .push(" and (last_activity_at, conversation_id) < (")
            .push_bind(before.last_activity_at)
            .push(", ")
            .push_bind(before.conversation_id)
            .push(")");
    }
    query
        .push(" order by last_activity_at desc, conversation_id desc limit ")
        .push_bind(limit);
    let rows = query.build().fetch_all(&mut *snapshot.transaction).await?;
    rows.iter().map(summary).collect()
}

/// One conversation, if it is one of `account_id`'s.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn one(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    conversation_id: Uuid,
) -> Result<Option<ConversationSummary>, ReadError> {
    let mut query = QueryBuilder::new(COLUMNS);
    query
        .push("where conversation_id = ")
        .push_bind(conversation_id)
        .push(" and account_id = ")
        .push_bind(account_id);
    let row = query
        .build()
        .fetch_optional(&mut *snapshot.transaction)
        .await?;
    row.as_ref().map(summary).transpose()
}

fn summary(row: &PgRow) -> Result<ConversationSummary, ReadError> {
    Ok(ConversationSummary {
        conversation_id: row.try_get("conversation_id")?,
        account_id: row.try_get("account_id")?,
        copilot: row.try_get("copilot")?,
        title: private_if_any(row, "title")?,
        goal: private_if_any(row, "goal")?,
        plan_id: row.try_get("plan_id")?,
        status: row.try_get("status")?,
        message_count: row.try_get("message_count")?,
        sequence: row.try_get("sequence")?,
        created_at: row.try_get("created_at")?,
        last_activity_at: row.try_get("last_activity_at")?,
    })
}
