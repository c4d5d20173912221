//! After a fix: what is parked goes into the rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use fido_domain::{Position, Recorded};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::parked_after;
use crate::apply::{ApplyError, Condemned, Flow, Stream, Unknown};
use crate::operation::{self, OperationError};
use crate::vocabulary;

/// Parked events that go into one transaction at most, so that the projector never waits for long.
const PAGE: i64 = 1_000;

/// What became of the quarantine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retry {
    /// The streams that were in it.
    pub streams: Vec<Retried>,
}

/// What became of one quarantined stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    /// Which kind of stream.
    pub aggregate_type: String,
    /// Which one.
    pub aggregate_id: Uuid,
    /// How many of its events are in the rows now.
    pub applied: u64,
    /// What keeps the others in quarantine; none when the stream is whole again.
    pub still: Option<Still>,
}

/// An event that still cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// Where it stands.
    pub position: Position,
    /// Why it cannot.
    pub reason: String,
}

impl Retry {
    /// Applies everything that is in quarantine on the replica behind `pool` and can be applied, in
    /// the order of the log. Safe while the projector runs: each transaction of either takes the
    /// replica for itself, and what the projector parks meanwhile is met on the way.
    ///
    /// # Errors
    /// [`OperationError`]; what was applied until then stays applied, and the rest stays parked.
    pub async fn run(pool: &PgPool) -> Result<Self, OperationError> {
        let mut replica = pool.acquire().await?;
        let mut streams = BTreeMap::new();
        let mut held = HashMap::new();
        let mut after = 0;
        while let Some(page) = retry_page(&mut replica, after, held).await? {
            after = page.last;
            for stream in page.applied {
                retried(&mut streams, stream).applied += 1;
            }
            for Condemned {
                stream,
                position,
                reason,
            } in page.condemned
            {
                retried(&mut streams, stream).still = Some(Still { position, reason });
            }
            held = page.held;
        }
        Ok(Self {
            streams: streams.into_values().collect(),
        })
    }

    /// Whether nothing is left in quarantine.
    pub fn is_complete(&self) -> bool {
        self.streams.iter().all(|stream| stream.still.is_none())
    }
}

fn retried(streams: &mut BTreeMap<Stream, Retried>, stream: Stream) -> &mut Retried {
    let new = Retried {
        aggregate_type: stream.aggregate_type.clone(),
        aggregate_id: stream.aggregate_id,
        applied: 0,
        still: None,
    };
    streams.entry(stream).or_insert(new)
}

struct Page {
    /// The last position that was looked at.
    last: Position,
    /// The stream of each event that was applied.
    applied: Vec<Stream>,
    condemned: Vec<Condemned>,
    held: HashMap<Stream, Position>,
}

/// Applies what it can of the parked events after `after`; none when there are none. Streams of `held`
/// have been tried before and stay where they are.
async fn retry_page(
    replica: &mut PgConnection,
    after: Position,
    held: HashMap<Stream, Position>,
) -> Result<Option<Page>, OperationError> {
    let mut transaction = replica.begin().await?;
    operation::lock(&mut transaction).await?;
    let events = parked_after(&mut transaction, after, PAGE).await?;
    let Some(last) = events.last().map(|event| event.position) else {
        return Ok(None);
    };
    let mut flow = Flow::new(held);
    // The first one of each stream counts, so it comes last.
    for event in events.iter().rev() {
        if !vocabulary::this_build(event) && !flow.holds(event) {
            flow.condemn(event, Unknown::new(event).to_string());
        }
    }
    flow.apart(&mut transaction, &events)
        .await
        .map_err(|error| OperationError::Write(ApplyError::from(error).to_string()))?;
    let applied: Vec<&Recorded> = {
        let parked: HashSet<Position> = flow.parked().map(|(event, ..)| event.position).collect();
        let written = |event: &&Recorded| !parked.contains(&event.position);
        events.iter().filter(written).collect()
    };
    release(&mut transaction, &applied).await?;
    for condemned in flow.condemned() {
        blame(&mut transaction, condemned).await?;
    }
    transaction.commit().await?;
    Ok(Some(Page {
        last,
        applied: applied.into_iter().map(Stream::of).collect(),
        condemned: flow.condemned().cloned().collect(),
        held: flow.into_held(),
    }))
}

/// Takes `applied` out of the quarantine.
async fn release(replica: &mut PgConnection, applied: &[&Recorded]) -> Result<(), sqlx::Error> {
    let positions: Vec<Position> = applied.iter().map(|event| event.position).collect();
    sqlx::query("delete from quarantine where position = any($1)")
        .bind(positions)
        .execute(replica)
        .await?;
    Ok(())
}

/// Notes what keeps the rest of a stream in quarantine.
async fn blame(replica: &mut PgConnection, condemned: &Condemned) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update quarantine set culprit = $3, reason = case when position = $3 then $4 end \
         where aggregate_type = $1 and aggregate_id = $2",
    )
    .bind(&condemned.stream.aggregate_type)
    .bind(condemned.stream.aggregate_id)
    .bind(condemned.position)
    .bind(&condemned.reason)
    .execute(replica)
    .await?;
    Ok(())
}
