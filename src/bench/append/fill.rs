//! Puts many events into a log at once, as if they had been appended one by one.
//!
//! Only the owner of the schema can do this. The role that Fido runs as has no right to insert.

use anyhow::{Context, Result, ensure};
use fido_commands::EventStore;

use super::sample::stored;
use crate::bench::progress;
use crate::bench::server::Database;

/// Events put in by one transaction.
const CHUNK: i64 = 100_000;
/// How often the progress of a long fill is told.
const TELL_EVERY: i64 = 1_000_000;

/// Copies of the event at position 1, from `$1` + 1 on: `$2` events of streams of 50 events each, 200
/// streams alternating, so that a stream is spread over 10,000 positions. Their ids sort before all
/// that are made today.
const EVENTS: &str = "
insert into events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                    payload, metadata, recorded_at)
select n, e.aggregate_type,
       left(block, 8) || '-' || right(block, 4) || '-7000-8000-' || lpad(to_hex(m % 200), 12, '0'),
       (m % 10000) / 200 + 1, e.event_type, e.event_version, e.payload, e.metadata, h.recorded_at
  from generate_series($1 + 1, $1 + $2) as n,
       lateral (select n - 2) as copies (m), lateral lpad(to_hex(m / 10000), 12, '0') as block,
       log_head as h, events as e
 where e.position = 1";
const STREAMS: &str = "
insert into streams as s (aggregate_type, aggregate_id, subject, last_sequence, first_position, last_position)
select aggregate_type, aggregate_id, (min(metadata ->> 'subject'))::uuid, max(sequence), min(position), max(position)
  from events where position > $1 group by aggregate_type, aggregate_id
    on conflict (aggregate_type, aggregate_id) do update
   set last_sequence = excluded.last_sequence, last_position = excluded.last_position";

/// Fills a new log up to `events` events.
///
/// # Errors
/// When the owner may not, the log is not new, or the server cannot be reached.
pub(super) async fn fill(
    database: &Database,
    store: &EventStore,
    text: &str,
    events: i64,
) -> Result<()> {
    // One real event, to be copied.
    stored(store, &database.owner, text.to_owned()).await?;
    let mut head = 1;
    while head < events {
        let count = CHUNK.min(events - head);
        chunk(database, head, count)
            .await
            .context("the log was not filled")?;
        head += count;
        if head / TELL_EVERY > (head - count) / TELL_EVERY {
            progress::note(&format!("      filled: {head} of {events} events"));
        }
    }
    // What autovacuum would do in the middle of a measurement.
    for statement in ["vacuum (analyze) events", "vacuum (analyze) streams"] {
        sqlx::raw_sql(statement).execute(&database.owner).await?;
    }
    if let Err(error) = sqlx::raw_sql("checkpoint").execute(&database.owner).await {
        progress::note(&format!("      no checkpoint after the fill: {error}"));
    }
    Ok(())
}

async fn chunk(database: &Database, head: i64, count: i64) -> Result<()> {
    let mut transaction = database.owner.begin().await?;
    let found: i64 = sqlx::query_scalar("select position from log_head for update")
        .fetch_one(&mut *transaction)
        .await?;
    ensure!(found == head, "the log is at {found}, not at {head}");
    while sqlx::query_scalar("select segments_end - segment_size < $1 from log_head")
        .bind(head + count)
        .fetch_one(&mut *transaction)
        .await?
    {
        sqlx::query("select add_segment()")
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query(EVENTS)
        .bind(head)
        .bind(count)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(STREAMS)
        .bind(head)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("update log_head set position = position + $1")
        .bind(count)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}
