//! What has happened to a plan, event by event.

use fido_domain::plan::Plan;
use fido_domain::{Evolve, Position, Recorded};
use uuid::Uuid;

use crate::query::Query;
use crate::{ReadError, Snapshot, recorded};

pub(crate) const HISTORY_QUERIES: &[Query] = &[NEWEST];

// Which of the account's events are about the plan the audit timeline has an index for.
const NEWEST: Query = Query::read(
    "plan.history",
    "select t.position, t.aggregate_type, t.aggregate_id, t.sequence, t.event_type, t.event_version, \
            t.payload::text as payload, t.metadata::text as metadata, t.recorded_at \
     from (select position from audit_timeline \
           where aggregate_id = $2 and position < $3 order by position desc limit $4) a \
          cross join lateral (select * from timeline \
                              where account_id = $1 and position = a.position \
                                and aggregate_type = $5 limit 1) t",
);

/// Up to `limit` events of a plan of `account_id`, those before position `before`, the latest first;
/// private content is sealed.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn history(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    plan_id: Uuid,
    before: Option<Position>,
    limit: i64,
) -> Result<Vec<Recorded>, ReadError> {
    let rows = NEWEST
        .ask()
        .bind(account_id)
        .bind(plan_id)
        .bind(before.unwrap_or(Position::MAX))
        .bind(limit)
        .bind(Plan::TYPE)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        events.push(recorded(row)?);
    }
    // In the order of the inner query, whatever way the join was made.
    events.sort_unstable_by_key(|event| std::cmp::Reverse(event.position));
    Ok(events)
}
