//! What operators and the projector tell one another through the replica: a pause, what is waited
//! for, how much is in quarantine.

use fido_domain::Position;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use crate::apply::Unknown;
use crate::{ReadError, Snapshot};

/// Tables of a replica that do not follow from the log alone, nor stand for a position of it. All
/// others do, and are equal on two replicas at one position.
pub const OPERATIONAL_TABLES: [&str; 5] = [
    "checkpoint",
    "projector",
    "quarantine",
    "drift",
    "_sqlx_migrations",
];

/// An operator's order that a replica did not take.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// It could not be asked.
    #[error("the replica cannot be written")]
    Unavailable(#[from] sqlx::Error),
    /// The rows could not be written, and not because of the events.
    #[error("the rows cannot be written: {0}")]
    Write(String),
}

/// How a replica is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// An operator lets its projector pause.
    pub paused: Option<Paused>,
    /// Its projector waits for a newer build.
    pub waits: Option<Waits>,
    /// How many streams are in quarantine.
    pub quarantined_streams: i64,
    /// How many events of theirs are not in the rows.
    pub quarantined_events: i64,
}

/// A pause that an operator has ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// Since when.
    pub since: OffsetDateTime,
    /// What for, if they said so.
    pub reason: Option<String>,
}

/// An event that the projector's build does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// Where it stands.
    pub position: Position,
    /// Since when it is waited.
    pub since: OffsetDateTime,
    /// What it is.
    pub reason: String,
}

impl Condition {
    /// Whether everything is as it should be.
    pub fn is_good(&self) -> bool {
        self.paused.is_none() && self.waits.is_none() && self.quarantined_streams == 0
    }
}

/// How the replica is looked after.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn condition(snapshot: &mut Snapshot) -> Result<Condition, ReadError> {
    Ok(condition_of(&mut snapshot.transaction).await?)
}

/// The same by any connection to the replica.
pub(crate) async fn condition_of(replica: &mut PgConnection) -> Result<Condition, sqlx::Error> {
    let row = sqlx::query(
        "select paused_since, pause_reason, waits_at, waits_since, waits_for, \
                (select count(*) from quarantine) as events, \
                (select count(distinct (aggregate_type, aggregate_id)) from quarantine) as streams \
         from projector",
    )
    .fetch_one(replica)
    .await?;
    let (since, reason) = (row.try_get("paused_since")?, row.try_get("pause_reason")?);
    let waits: (Option<Position>, _, Option<String>) = (
        row.try_get("waits_at")?,
        row.try_get("waits_since")?,
        row.try_get("waits_for")?,
    );
    Ok(Condition {
        paused: Option::map(since, |since| Paused { since, reason }),
        waits: match waits {
            (Some(position), Some(since), reason) => Some(Waits {
                position,
                since,
                reason: reason.unwrap_or_default(),
            }),
            (_, _, _) => None,
        },
        quarantined_streams: row.try_get("streams")?,
        quarantined_events: row.try_get("events")?,
    })
}

/// Lets the replica behind `pool` stay as it is, until [`resume`]. The batch that is under way is
/// waited for; answers with the position at which the replica stays.
///
/// # Errors
/// [`OperationError::Unavailable`].
pub async fn pause(pool: &PgPool, reason: Option<&str>) -> Result<Position, OperationError> {
    let mut transaction = pool.begin().await?;
    let held = lock(&mut transaction).await?;
    sqlx::query(
        "update projector set paused_since = coalesce(paused_since, now()), pause_reason = $1",
    )
    .bind(reason)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(held.position)
}

/// Lets the projector go on; false when it was not paused.
///
/// # Errors
/// [`OperationError::Unavailable`].
pub async fn resume(pool: &PgPool) -> Result<bool, OperationError> {
    let resumed = sqlx::query(
        "update projector set paused_since = null, pause_reason = null \
         where paused_since is not null",
    )
    .execute(pool)
    .await?;
    Ok(resumed.rows_affected() == 1)
}

/// The replica in the hands of whoever writes to it, to the end of the transaction.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) position: Position,
    pub(crate) epoch: Option<i32>,
    pub(crate) paused: bool,
    pub(crate) waits_at: Option<Position>,
}

/// Takes the replica, and answers with how it stands now. Every transaction that changes rows begins
/// like this; what it reads afterwards is newer than whatever another one has written.
pub(crate) async fn lock(replica: &mut PgConnection) -> Result<Held, sqlx::Error> {
    let row = sqlx::query(
        "select c.position, c.epoch, p.paused_since is not null as paused, p.waits_at \
         from checkpoint c cross join projector p for update",
    )
    .fetch_one(replica)
    .await?;
    Ok(Held {
        position: row.try_get("position")?,
        epoch: row.try_get("epoch")?,
        paused: row.try_get("paused")?,
        waits_at: row.try_get("waits_at")?,
    })
}

/// What is announced of a replica beside its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Health {
    /// How many streams are in quarantine.
    pub(crate) quarantined: i64,
    /// Its projector stands still until somebody does something.
    pub(crate) paused: bool,
}

/// How the replica fares.
pub(crate) async fn health(replica: &mut PgConnection) -> Result<Health, sqlx::Error> {
    let row = sqlx::query(
        "select paused_since is not null or waits_at is not null as paused, \
                (select count(distinct (aggregate_type, aggregate_id)) from quarantine) as quarantined \
         from projector",
    )
    .fetch_one(replica)
    .await?;
    Ok(Health {
        quarantined: row.try_get("quarantined")?,
        paused: row.try_get("paused")?,
    })
}

/// Whether an operator has ordered a pause.
pub(crate) async fn is_paused(replica: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select paused_since is not null from projector")
        .fetch_one(replica)
        .await
}

/// Notes that the projector waits at an event that it does not know, or that it no longer does.
pub(crate) async fn wait_at(
    replica: &mut PgConnection,
    unknown: Option<&Unknown>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update projector set waits_at = $1, waits_for = $2, \
                              waits_since = case when $1 is not null then now() end",
    )
    .bind(unknown.map(|unknown| unknown.position))
    .bind(unknown.map(ToString::to_string))
    .execute(replica)
    .await?;
    Ok(())
}
