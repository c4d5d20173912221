//! The plain copy: what it costs to read the rows of the log and to write them somewhere else.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::TryStreamExt;
use sqlx::{Connection, Executor, PgConnection};

use crate::bench::server::Database;

/// As `events`, without its keys.
const BARE: &str = "create table bare_events (position bigint not null, \
     aggregate_type text not null collate \"C\", aggregate_id text not null collate \"C\", \
     sequence bigint not null, event_type text not null collate \"C\", \
     event_version text not null collate \"C\", payload json not null, metadata json not null, \
     recorded_at timestamptz not null)";
const OUT: &str = "copy (select position, aggregate_type, aggregate_id, sequence, event_type, \
     event_version, payload, metadata, recorded_at from events order by position) to stdout";
/// What is handed on at a time, in bytes.
const CHUNK: usize = 1 << 18;

/// Copies all `events` of `log` into a table of `replica`; how long that took.
pub(super) async fn copy(log: &Database, replica: &Database, events: usize) -> Result<Duration> {
    let unflushed = replica
        .owner_options()
        .options([("synchronous_commit", "off")]);
    let mut to = PgConnection::connect_with(&unflushed).await?;
    to.execute(BARE).await?;
    let mut from = log.owner.acquire().await?;
    let begun = Instant::now();
    let mut reading = from.copy_out_raw(OUT).await?;
    let mut writing = to.copy_in_raw("copy bare_events from stdin").await?;
    let mut chunk = Vec::with_capacity(2 * CHUNK);
    while let Some(row) = reading.try_next().await? {
        chunk.extend_from_slice(&row);
        if chunk.len() >= CHUNK {
            writing.send(&*chunk).await?;
            chunk.clear();
        }
    }
    writing.send(&*chunk).await?;
    let copied = writing.finish().await?;
    let elapsed = begun.elapsed();
    ensure!(
        usize::try_from(copied)? == events,
        "{copied} rows were copied, not {events}"
    );
    to.close().await?;
    Ok(elapsed)
}
