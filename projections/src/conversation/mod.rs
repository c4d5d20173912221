//! Conversations as seen: the list, and the transcript of each.

mod changes;
mod messages;
mod open;
mod write;

use fido_domain::Private;
use fido_domain::conversation::Copilot;
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::Query;
use crate::{FAR, ReadError, Snapshot, private_if_any};

pub(crate) use changes::Changes;
pub(crate) use messages::MESSAGE_QUERIES;
pub use messages::{MessageRow, Order, transcript};
pub use open::open_requests;

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
    /// `active`, `archived` or `erased`.
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

pub(crate) const QUERIES: &[Query] = &[OF_ACCOUNT, OF_PLAN, ONE, write::INSERT, write::UPDATE];

macro_rules! conversations {
    ($rest:literal) => {
        concat!(
            "select conversation_id, account_id, copilot, title, goal, plan_id, status, \
                    message_count, sequence, created_at, last_activity_at \
             from conversations where account_id = $1 and ",
            $rest
        )
    };
}

const ONE: Query = Query::read("conversation.one", conversations!("conversation_id = $2"));
const OF_ACCOUNT: Query = Query::read(
    "conversation.of_account",
    conversations!(
        "($2::text is null or status = $2) and ($3::text is null or copilot = $3) \
         and (last_activity_at, conversation_id) < ($4, $5) \
         order by last_activity_at desc, conversation_id desc limit $6"
    ),
);
const OF_PLAN: Query = Query::read(
    "conversation.of_plan",
    conversations!(
        "($2::text is null or status = $2) and ($3::text is null or copilot = $3) \
         and (last_activity_at, conversation_id) < ($4, $5) and plan_id = $7 \
         order by last_activity_at desc, conversation_id desc limit $6"
    ),
);

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
    let before = before.unwrap_or(ActivityCursor {
        last_activity_at: FAR,
        conversation_id: Uuid::max(),
    });
    let query = if filter.plan_id.is_some() {
        OF_PLAN
    } else {
        OF_ACCOUNT
    };
    let mut query = query
        .ask()
        .bind(account_id)
        .bind(filter.status.as_deref())
        .bind(filter.copilot.map(Copilot::as_str))
        .bind(before.last_activity_at)
        .bind(before.conversation_id)
        .bind(limit);
    if let Some(plan_id) = filter.plan_id {
        query = query.bind(plan_id);
    }
    let rows = query.fetch_all(&mut *snapshot.transaction).await?;
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
    let row = ONE
        .ask()
        .bind(account_id)
        .bind(conversation_id)
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
