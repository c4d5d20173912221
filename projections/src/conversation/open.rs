//! Replies that somebody asked for and that nobody has given yet.

use fido_domain::Position;

use crate::{ReadError, Snapshot};

/// The most that are answered at a time.
const LIMIT: i64 = 200;

/// Where in the log, before `before`, open replies were asked for: the oldest first, a few hundred at
/// most.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn open_requests(
    snapshot: &mut Snapshot,
    before: Position,
) -> Result<Vec<Position>, ReadError> {
    Ok(sqlx::query_scalar(
        "select position from messages where status = 'requested' and position < $1 \
         order by position limit $2",
    )
    .bind(before)
    .bind(LIMIT)
    .fetch_all(&mut *snapshot.transaction)
    .await?)
}
