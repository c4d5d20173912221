//! What the last look at a replica has found, kept in the replica.

use fido_domain::Position;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{ReadError, Snapshot};

/// What the last look at a replica has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// At which position.
    pub position: Position,
    /// When.
    pub checked_at: OffsetDateTime,
    /// How many streams were looked at.
    pub streams: usize,
    /// How many of them are not as the log says.
    pub differing: usize,
    /// The first of those. It is looked at again every time until it is right.
    pub first: Option<Drifted>,
}

/// A stream whose rows are not as the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    /// Its kind.
    pub aggregate_type: String,
    /// Which it is.
    pub aggregate_id: Uuid,
    /// In which table.
    pub table: String,
}

const QUERY: &str = "select position, checked_at, streams, differing, aggregate_type, aggregate_id, \
                            table_name from drift";

/// What the last look has found; none before the first.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn last(snapshot: &mut Snapshot) -> Result<Option<Drift>, ReadError> {
    let row = sqlx::query(QUERY)
        .fetch_optional(&mut *snapshot.transaction)
        .await?;
    Ok(row.as_ref().map(drift).transpose()?)
}

/// The same by any connection to the replica.
pub(crate) async fn stored(replica: &mut PgConnection) -> Result<Option<Drift>, sqlx::Error> {
    let row = sqlx::query(QUERY).fetch_optional(replica).await?;
    row.as_ref().map(drift).transpose()
}

pub(super) async fn keep(replica: &mut PgConnection, drift: &Drift) -> Result<(), sqlx::Error> {
    let first = drift.first.as_ref();
    let count = |streams: usize| i32::try_from(streams).unwrap_or(i32::MAX);
    sqlx::query(
        "insert into drift (position, checked_at, streams, differing, aggregate_type, aggregate_id, \
                            table_name) \
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (one) do update \
            set position = excluded.position, checked_at = excluded.checked_at, \
                streams = excluded.streams, differing = excluded.differing, \
                aggregate_type = excluded.aggregate_type, aggregate_id = excluded.aggregate_id, \
                table_name = excluded.table_name",
    )
    .bind(drift.position)
    .bind(drift.checked_at)
    .bind(count(drift.streams))
    .bind(count(drift.differing))
    .bind(first.map(|first| &first.aggregate_type))
    .bind(first.map(|first| first.aggregate_id))
    .bind(first.map(|first| &first.table))
    .execute(replica)
    .await?;
    Ok(())
}

fn drift(row: &PgRow) -> Result<Drift, sqlx::Error> {
    let count = |column: &str| -> Result<usize, sqlx::Error> {
        let count: i32 = row.try_get(column)?;
        Ok(usize::try_from(count).unwrap_or_default())
    };
    let aggregate_type: Option<String> = row.try_get("aggregate_type")?;
    let aggregate_id: Option<Uuid> = row.try_get("aggregate_id")?;
    let table: Option<String> = row.try_get("table_name")?;
    let first = match (aggregate_type, aggregate_id, table) {
        (Some(aggregate_type), Some(aggregate_id), Some(table)) => Some(Drifted {
            aggregate_type,
            aggregate_id,
            table,
        }),
        (_, _, _) => None,
    };
    Ok(Drift {
        position: row.try_get("position")?,
        checked_at: row.try_get("checked_at")?,
        streams: count("streams")?,
        differing: count("differing")?,
        first,
    })
}
