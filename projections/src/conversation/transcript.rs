//! What was said, message by message.

use fido_domain::{Position, Private};
use sqlx::Row;
use time::OffsetDateTime;
use uuid::Uuid;

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
    /// What it says; none while a reply is awaited.
    pub text: Option<Private<String>>,
    /// `complete`, `requested` or `failed`.
    pub status: String,
    /// The model that wrote it.
    pub model: Option<String>,
    /// Tokens of the prompt.
    pub input_tokens: Option<i64>,
    /// Tokens of the answer.
    pub output_tokens: Option<i64>,
    /// Why there is no answer.
    pub failure: Option<String>,
    /// When it was posted or requested.
    pub created_at: OffsetDateTime,
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
    let (sql, from) = match order {
        Order::Oldest => (
            "select * from messages where conversation_id = $1 and position > $2 \
             order by position limit $3",
            0,
        ),
        Order::Newest => (
            "select * from messages where conversation_id = $1 and position < $2 \
             order by position desc limit $3",
            Position::MAX,
        ),
    };
    let rows = sqlx::query(sql)
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
                created_at: row.try_get("created_at")?,
                position: row.try_get("position")?,
            })
        })
        .collect()
}
