//! Puts many events of the mix into a new log at once, as if they had been recorded one by one.
//!
//! Only the owner of the schema can do this. The role that Fido runs as has no right to insert.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fido_commands::ambient;
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::cast::{Cast, Cut, Pattern};
use crate::bench::progress::note;

/// Casts whose events alternate; so many streams grow at the same time, ten times over.
const TOGETHER: usize = 50;
/// What is handed to the database at a time, in bytes.
const CHUNK: usize = 1 << 20;
/// The time between two events.
const PACE: Duration = Duration::from_millis(500);
/// What varies in an id from copy to copy, besides its time.
const VARYING: u128 = (1 << 62) - 1;

const EVENTS: &str = "copy events (position, aggregate_type, aggregate_id, sequence, event_type, \
     event_version, payload, metadata, recorded_at) from stdin";
const STREAMS: &str = "
insert into streams (aggregate_type, aggregate_id, subject, last_sequence, first_position, last_position)
select aggregate_type, aggregate_id, (min(metadata ->> 'subject'))::uuid, max(sequence), min(position), max(position)
  from events group by aggregate_type, aggregate_id";
const HEAD: &str = "update log_head set position = $1, recorded_at = \
     (select recorded_at from events where position = $1) where position = 0";

/// Fills a new log with `events` events: copies of `cast` under ids of their own.
///
/// # Errors
/// When the owner may not, the log is not new, or the server cannot be reached.
pub(crate) async fn fill(log: &PgPool, cast: &Cast, events: usize) -> Result<()> {
    ensure!(!cast.events.is_empty(), "there is nothing to copy");
    let head = i64::try_from(events)?;
    while sqlx::query_scalar("select segments_end - segment_size < $1 from log_head")
        .bind(head)
        .fetch_one(log)
        .await?
    {
        sqlx::query("select add_segment()").execute(log).await?;
    }
    copy(log, cast, events)
        .await
        .context("the log was not filled")?;
    sqlx::query(STREAMS).execute(log).await?;
    let moved = sqlx::query(HEAD).bind(head).execute(log).await?;
    ensure!(moved.rows_affected() == 1, "the log is not new");
    for statement in ["vacuum (analyze) events", "vacuum (analyze) streams"] {
        sqlx::raw_sql(statement).execute(log).await?;
    }
    Ok(())
}

/// Writes out what was filled, so that it is not written in the middle of a measurement.
pub(crate) async fn checkpoint(server: &PgPool) {
    if let Err(error) = sqlx::raw_sql("checkpoint").execute(server).await {
        note(&format!("      no checkpoint: {error}"));
    }
}

async fn copy(log: &PgPool, cast: &Cast, events: usize) -> Result<()> {
    let together = (events / cast.len()).clamp(1, TOGETHER);
    let begin = ambient::now() - PACE * u32::try_from(events)?;
    let mut copying = log.copy_in_raw(EVENTS).await?;
    let mut lines = String::with_capacity(2 * CHUNK);
    for n in 0..events {
        // A block holds `together` copies; their first events come first, then all second ones.
        let (block, within) = (n / (together * cast.len()), n % (together * cast.len()));
        let copy = block * together + within % together;
        let pattern = &cast.events[within / together];
        let at = begin + PACE * u32::try_from(n)?;
        line(
            &mut lines,
            pattern,
            Copy::new(copy, begin, block, together, cast),
            n + 1,
            at,
        )?;
        if lines.len() >= CHUNK {
            copying.send(lines.as_bytes()).await?;
            lines.clear();
        }
    }
    copying.send(lines.as_bytes()).await?;
    copying.finish().await?;
    Ok(())
}

/// How the ids of one copy differ from those of the others.
#[derive(Debug, Clone, Copy)]
struct Copy {
    milliseconds: u128,
    varying: u128,
}

impl Copy {
    fn new(copy: usize, begin: OffsetDateTime, block: usize, together: usize, cast: &Cast) -> Self {
        let before = PACE.as_millis() * (block * together * cast.len()) as u128;
        let begin = (begin.unix_timestamp_nanos() / 1_000_000).unsigned_abs();
        Self {
            milliseconds: begin + before,
            varying: mix(copy as u64 + 1).into(),
        }
    }

    /// `id` in this copy: of about its time, as ids that are made one after the other are.
    fn id(self, id: Uuid) -> Uuid {
        let bits = id.as_u128();
        // Ids of one copy stay as far apart as they were, up to four seconds.
        let milliseconds = self.milliseconds + (bits >> 80 & 0xfff);
        let kept = bits & ((1 << 80) - 1);
        Uuid::from_u128(milliseconds << 80 | kept ^ self.varying & VARYING)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a permutation that looks random.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// One event in the text format of `copy`.
fn line(
    lines: &mut String,
    pattern: &Pattern,
    copy: Copy,
    position: usize,
    at: OffsetDateTime,
) -> Result<()> {
    let Pattern {
        aggregate_type,
        sequence,
        event_type,
        event_version,
        ..
    } = pattern;
    let id = copy.id(pattern.aggregate_id);
    write!(
        lines,
        "{position}\t{aggregate_type}\t{id}\t{sequence}\t{event_type}\t{event_version}\t"
    )?;
    with_ids(lines, &pattern.payload, copy)?;
    lines.push('\t');
    with_ids(lines, &pattern.metadata, copy)?;
    writeln!(lines, "\t{}", at.format(&Rfc3339)?)?;
    Ok(())
}

fn with_ids(lines: &mut String, cut: &Cut, copy: Copy) -> Result<()> {
    for (piece, id) in &cut.pieces {
        escape(lines, piece);
        write!(lines, "{}", copy.id(*id))?;
    }
    escape(lines, &cut.last);
    Ok(())
}

/// Canonical JSON has no control characters, so only the backslash is special.
fn escape(lines: &mut String, text: &str) {
    for (n, part) in text.split('\\').enumerate() {
        if n > 0 {
            lines.push_str("\\\\");
        }
        lines.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_copy_has_ids_of_its_own_which_stay_of_version_7() {
        let ids = [
            Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001),
            ambient::new_id(),
        ];
        let mut found = BTreeSet::new();
        for copy in 0..1_000 {
            let copy = Copy {
                milliseconds: 1_750_000_000_000,
                varying: mix(copy).into(),
            };
            for id in ids {
                let copied = copy.id(id);
                assert_eq!(copied.get_version_num(), 7);
                assert_eq!(copied.get_variant(), uuid::Variant::RFC4122);
                assert!(found.insert(copied));
            }
        }
    }

    #[test]
    fn backslashes_are_doubled_for_copy() {
        let mut lines = String::new();
        escape(&mut lines, r#"a "\n" b"#);
        assert_eq!(lines, r#"a "\\n" b"#);
    }
}
