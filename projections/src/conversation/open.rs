//! Replies that somebody asked for and that nobody has given yet.

use fido_domain::Position;
use sqlx::Row;

use crate::query::Query;
use crate::{ReadError, Snapshot};

/// The most that are answered at a time.
const LIMIT: i64 = 200;

pub(super) const OPEN: Query = Query::read(
    "messages.open",
    "select position from messages where status = 'requested' and position < $1 \
     order by position limit $2",
);

/// Where in the log, before `before`, open replies were asked for: the oldest first, a few hundred at
/// most.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn open_requests(
    snapshot: &mut Snapshot,
    before: Position,
) -> Result<Vec<Position>, ReadError> {
    let rows = OPEN
        .ask()
        .bind(before)
        .bind(LIMIT)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter()
        .map(|row| Ok(row.try_get("position")?))
        .collect()
}
