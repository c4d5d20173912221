//! Streams that wait for a fix: their events are parked from the one on that could not be applied.

mod retry;

use std::collections::{HashMap, HashSet};

use fido_domain::{Position, Recorded};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::apply::{Flow, Stream};
use crate::{ReadError, Snapshot, recorded};

pub use retry::{Retried, Retry, Still};

/// A stream that is in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedStream {
    /// Which kind of stream.
    pub aggregate_type: String,
    /// Which one.
    pub aggregate_id: Uuid,
    /// The event that could not be applied.
    pub position: Position,
    /// Its stored name.
    pub event_type: String,
    /// Why it could not.
    pub reason: String,
    /// Since when.
    pub since: OffsetDateTime,
}

/// Up to `limit` streams that are in quarantine, by where that began.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn streams(
    snapshot: &mut Snapshot,
    limit: i64,
) -> Result<Vec<QuarantinedStream>, ReadError> {
    let rows = sqlx::query(
        "select * from (select distinct on (aggregate_type, aggregate_id) \
                               aggregate_type, aggregate_id, position, event_type, parked_at, \
                               coalesce(reason, '') as reason \
                        from quarantine order by aggregate_type, aggregate_id, position) as first \
         order by position limit $1",
    )
    .bind(limit)
    .fetch_all(&mut *snapshot.transaction)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(QuarantinedStream {
                aggregate_type: row.try_get("aggregate_type")?,
                aggregate_id: row.try_get("aggregate_id")?,
                position: row.try_get("position")?,
                event_type: row.try_get("event_type")?,
                reason: row.try_get("reason")?,
                since: row.try_get("parked_at")?,
            })
        })
        .collect()
}

/// The streams of `events` that are in quarantine, and from which position on.
pub(crate) async fn among(
    replica: &mut PgConnection,
    events: &[Recorded],
) -> Result<HashMap<Stream, Position>, sqlx::Error> {
    let any: bool = sqlx::query_scalar("select exists (select from quarantine)")
        .fetch_one(&mut *replica)
        .await?;
    if !any {
        return Ok(HashMap::new());
    }
    let streams: HashSet<Stream> = events.iter().map(Stream::of).collect();
    let (types, ids): (Vec<String>, Vec<Uuid>) = streams
        .into_iter()
        .map(|stream| (stream.aggregate_type, stream.aggregate_id))
        .unzip();
    // A look-up a stream: the batch is small, the quarantine may not be.
    let rows = sqlx::query(
        "select s.aggregate_type, s.aggregate_id, q.culprit \
         from unnest($1::text[], $2::uuid[]) as s (aggregate_type, aggregate_id) \
         cross join lateral (select culprit from quarantine q \
                             where q.aggregate_type = s.aggregate_type \
                               and q.aggregate_id = s.aggregate_id limit 1) q",
    )
    .bind(types)
    .bind(ids)
    .fetch_all(replica)
    .await?;
    rows.iter()
        .map(|row| {
            let stream = Stream {
                aggregate_type: row.try_get("aggregate_type")?,
                aggregate_id: row.try_get("aggregate_id")?,
            };
            Ok((stream, row.try_get("culprit")?))
        })
        .collect()
}

/// Parks what did not flow, as it is stored in the log: what is sealed stays sealed.
pub(crate) async fn park(replica: &mut PgConnection, flow: &Flow<'_>) -> Result<(), sqlx::Error> {
    let mut parked = Parked::default();
    for (event, culprit, reason) in flow.parked() {
        parked.positions.push(event.position);
        parked.types.push(&event.aggregate_type);
        parked.ids.push(event.aggregate_id);
        parked.sequences.push(event.sequence);
        parked.event_types.push(&event.event_type);
        parked.event_versions.push(&event.event_version);
        parked.payloads.push(event.payload.get());
        parked.metadata.push(event.metadata.get());
        parked.recorded.push(event.recorded_at);
        parked.culprits.push(culprit);
        parked.reasons.push(reason);
    }
    if parked.positions.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into quarantine (position, aggregate_type, aggregate_id, sequence, event_type, \
                                 event_version, payload, metadata, recorded_at, culprit, reason) \
         select position, aggregate_type, aggregate_id, sequence, event_type, \
                event_version, payload::json, metadata::json, recorded_at, culprit, reason \
         from unnest($1::bigint[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], \
                     $7::text[], $8::text[], $9::timestamptz[], $10::bigint[], $11::text[]) \
              as t (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                    payload, metadata, recorded_at, culprit, reason)",
    )
    .bind(parked.positions)
    .bind(parked.types)
    .bind(parked.ids)
    .bind(parked.sequences)
    .bind(parked.event_types)
    .bind(parked.event_versions)
    .bind(parked.payloads)
    .bind(parked.metadata)
    .bind(parked.recorded)
    .bind(parked.culprits)
    .bind(parked.reasons)
    .execute(replica)
    .await?;
    Ok(())
}

/// Columns of events to park.
#[derive(Default)]
struct Parked<'a> {
    positions: Vec<Position>,
    types: Vec<&'a str>,
    ids: Vec<Uuid>,
    sequences: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadata: Vec<&'a str>,
    recorded: Vec<OffsetDateTime>,
    culprits: Vec<Position>,
    reasons: Vec<Option<&'a str>>,
}

/// Up to `limit` parked events after `position`, in order.
async fn parked_after(
    replica: &mut PgConnection,
    position: Position,
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    sqlx::query(
        "select position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                payload::text as payload, metadata::text as metadata, recorded_at \
         from quarantine where position > $1 order by position limit $2",
    )
    .bind(position)
    .bind(limit)
    .fetch_all(replica)
    .await?
    .iter()
    .map(recorded)
    .collect()
}
