//! What was said, message by message.

use fido_domain::{Position, Private};
use sqlx::Row;
use time::OffsetDateTime;
use uuid::Uuid;

use super::open::OPEN;
use super::write::{MESSAGE_ADD, MESSAGE_ERASE, MESSAGE_INSERT, MESSAGE_UPDATE};
use crate::query::Query;
use crate::{ReadError, Snapshot, private_if_any};

/// A message or a reply.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Which; a reply has the reply's id.
    pub message_id: Uuid,
    /// Where it was said.
    pub conversation_id: Uuid,
    /// `user` or `assistant`.
    pub role: String,
    /// What it says, or a part of it where a reply broke off; none while a reply is awaited.
    pub text: Option<Private<String>>,
    /// `complete`, `requested`, `failed` or `cancelled`.
    pub status: String,
    /// The model that wrote it.
    pub model: Option<String>,
    /// Tokens of the prompt.
    pub input_tokens: Option<i64>,
    /// Tokens of the answer.
    pub output_tokens: Option<i64>,
    /// Why there is no answer.
    pub failure: Option<String>,
    /// The earlier reply to the same message that the person wanted this one for.
    pub replaces: Option<Uuid>,
    /// What the person thinks of it: `up` or `down`.
    pub rating: Option<String>,
    /// When it was posted or requested.
    pub created_at: OffsetDateTime,
    /// When the reply was completed, failed or was cancelled.
    pub settled_at: Option<OffsetDateTime>,
    /// Where it entered the log.
    pub position: Position,
}

/// Which end of a transcript comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As it was said.
    Oldest,
    /// The latest first.
    Newest,
}

pub(crate) const MESSAGE_QUERIES: &[Query] = &[
    OLDEST,
    NEWEST,
    OPEN,
    MESSAGE_INSERT,
    MESSAGE_UPDATE,
    MESSAGE_ERASE,
    MESSAGE_ADD,
];

macro_rules! transcript {
    ($beyond:literal) => {
        concat!(
            "select message_id, conversation_id, role, text, status, model, input_tokens, output_tokens, \
                    failure, replaces, rating, created_at, settled_at, position \
             from messages where conversation_id = $1 and position ",
            $beyond,
            " limit $3"
        )
    };
}

const OLDEST: Query = Query::read(
    "messages.oldest_first",
    transcript!("> $2 order by position"),
);
const NEWEST: Query = Query::read(
    "messages.newest_first",
    transcript!("< $2 order by position desc"),
);

/// Up to `limit` messages of a conversation, beyond the one at position `after` in that order.
///
/// Whose conversation it is the caller has asked before ([`super::one`]).
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn transcript(
    snapshot: &mut Snapshot,
    conversation_id: Uuid,
    order: Order,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<MessageRow>, ReadError> {
    let (query, from) = match order {
        Order::Oldest => (OLDEST, 0),
        Order::Newest => (NEWEST, Position::MAX),
    };
    let rows = query
        .ask()
        .bind(conversation_id)
        .bind(after.unwrap_or(from))
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(MessageRow {
                message_id: row.try_get("message_id")?,
                conversation_id: row.try_get("conversation_id")?,
                role: row.try_get("role")?,
                text: private_if_any(row, "text")?,
                status: row.try_get("status")?,
                model: row.try_get("model")?,
                input_tokens: row.try_get("input_tokens")?,
                output_tokens: row.try_get("output_tokens")?,
                failure: row.try_get("failure")?,
                replaces: row.try_get("replaces")?,
                rating: row.try_get("rating")?,
                created_at: row.try_get("created_at")?,
                settled_at: row.try_get("settled_at")?,
                position: row.try_get("position")?,
            })
        })
        .collect()
}
