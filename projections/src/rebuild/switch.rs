//! The moment in which the shadow becomes the live schema.
//!
//! Whoever reads a replica reads the checkpoint first, and whoever writes one locks it first. So one
//! lock on the table `checkpoint` keeps everybody out: who holds it already comes to an end before,
//! who wants it waits, and then finds the checkpoint of the new schema under the same name (PostgreSQL
//! looks the names of waiting and of prepared statements up again after a rename). A reader that has
//! waited sees the new tables as they were when it began, all at one position.

use std::time::Duration;

use fido_commands::log::Log;
use fido_domain::Position;
use sqlx::{Acquire, PgConnection};
use tokio::time::Instant;

use super::shadow::Shadow;
use super::{PREVIOUS, RebuildError, replay, views};
use crate::{SCHEMA, run_sql, verify};

/// What was live for as long as both names are taken.
const ASIDE: &str = "fido_aside";
/// How long readers may be kept waiting for those before them.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '40ms'; set local search_path = ''";
/// The most events that the shadow catches up with while everybody waits.
const FEW: i64 = 100;

/// The shadow is the live schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switched {
    /// Where the new live schema stands.
    pub position: Position,
    /// Where the old one stood; none when there was none.
    pub previous: Option<Position>,
    /// From asking for the lock to the end of the commit: how long a query waited at most.
    pub took: Duration,
    /// How often it was tried before nobody was in the way.
    pub attempts: u32,
}

/// What became of an attempt.
pub(super) enum Attempt {
    Switched(Switched),
    /// The live schema is too far ahead; catch up before.
    Behind,
    /// Somebody reads or writes, and does not end soon.
    Busy,
}

/// Tries to switch once, without making others wait long.
pub(super) async fn attempt(
    owner: &mut PgConnection,
    shadow: &mut Shadow,
    log: &Log,
    attempts: u32,
) -> Result<Attempt, RebuildError> {
    let begun = Instant::now();
    match rename(owner, shadow, log).await {
        Ok(Renamed::Done { position, previous }) => Ok(Attempt::Switched(Switched {
            position,
            previous,
            took: begun.elapsed(),
            attempts,
        })),
        Ok(Renamed::Behind) => Ok(Attempt::Behind),
        Ok(Renamed::Written) => Ok(Attempt::Busy),
        Err(RebuildError::Database(error) | RebuildError::View { source: error, .. })
            if is_busy(&error) =>
        {
            Ok(Attempt::Busy)
        }
        Err(error) => Err(error),
    }
}

enum Renamed {
    Done {
        position: Position,
        previous: Option<Position>,
    },
    Behind,
    Written,
}

/// The transaction of the switch; undone unless it is done.
async fn rename(
    owner: &mut PgConnection,
    shadow: &mut Shadow,
    log: &Log,
) -> Result<Renamed, RebuildError> {
    let mut transaction = owner.begin().await?;
    run_sql(&mut transaction, LOCK_TIMEOUT).await?;
    let there = verify::position(&mut transaction, SCHEMA).await?.is_some();
    let views = views::on(&mut transaction, SCHEMA).await?;
    if there {
        run_sql(
            &mut transaction,
            &format!("lock table {SCHEMA}.checkpoint in access exclusive mode"),
        )
        .await?;
    }
    let previous = verify::position(&mut transaction, SCHEMA).await?;
    let mut position = verify::position(&mut transaction, shadow.schema)
        .await?
        .ok_or(RebuildError::Gone)?;
    if let Some(live) = previous
        && live > position
    {
        if live - position > FEW {
            return Ok(Renamed::Behind);
        }
        position = replay::replay(&mut shadow.connection, log, position, live, &|_| {}).await?;
    }
    if there {
        rename_schema(&mut transaction, SCHEMA, ASIDE).await?;
    }
    rename_schema(&mut transaction, shadow.schema, SCHEMA).await?;
    if there {
        rename_schema(&mut transaction, ASIDE, PREVIOUS).await?;
    }
    views::replace(&mut transaction, views).await?;
    if there {
        keep_paused(&mut transaction).await?;
    }
    if there && is_written(&mut transaction).await? {
        return Ok(Renamed::Written);
    }
    transaction.commit().await?;
    Ok(Renamed::Done { position, previous })
}

async fn rename_schema(
    transaction: &mut PgConnection,
    from: &str,
    to: &str,
) -> Result<(), RebuildError> {
    run_sql(transaction, &format!("alter schema {from} rename to {to}")).await?;
    Ok(())
}

/// What an operator has said of the replica goes on to hold. What is in quarantine does not: each
/// schema has its own.
async fn keep_paused(transaction: &mut PgConnection) -> Result<(), RebuildError> {
    sqlx::query(&format!(
        "update {SCHEMA}.projector set paused_since = before.paused_since, pause_reason = before.pause_reason \
           from {PREVIOUS}.projector as before"
    ))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Whether somebody has changed rows of what is no longer live without locking its checkpoint before:
/// the checkpoint would then be moved in the new schema, and the rows would be missing there.
async fn is_written(transaction: &mut PgConnection) -> Result<bool, RebuildError> {
    Ok(sqlx::query_scalar(
        "select exists (select from pg_catalog.pg_locks l \
           join pg_catalog.pg_class c on c.oid = l.relation \
          where l.database = (select oid from pg_catalog.pg_database where datname = current_database()) \
            and c.relnamespace = to_regnamespace($1) and l.granted \
            and l.mode in ('RowExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock') \
            and l.pid <> pg_backend_pid())",
    )
    .bind(PREVIOUS)
    .fetch_one(transaction)
    .await?)
}

/// `lock_not_available`, or `deadlock_detected`.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code());
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}
