//! The audit timeline: who did what to whose data, event by event, without what it says.

use fido_domain::{Metadata, Position, Recorded};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::{Query, column};
use crate::{ReadError, Snapshot};

/// One event, as an auditor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Where it stands in the log.
    pub position: Position,
    /// When the log took it.
    pub recorded_at: OffsetDateTime,
    /// The account that acted; none for Fido itself.
    pub actor: Option<Uuid>,
    /// In which role: `user`, …, or `system:<part>`.
    pub actor_role: String,
    /// Whose data it is.
    pub subject: Uuid,
    /// Which kind of stream.
    pub aggregate_type: String,
    /// Which stream of that kind.
    pub aggregate_id: Uuid,
    /// Its place in the stream.
    pub sequence: i64,
    /// The event's stored name.
    pub event_type: String,
    /// The version of its shape.
    pub event_version: String,
    /// The command that led to it.
    pub command_id: Uuid,
}

/// Which events to list; everything that is set must match.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this stream.
    pub aggregate_id: Option<Uuid>,
    /// About this account's data.
    pub subject: Option<Uuid>,
    /// Done by this account.
    pub actor: Option<Uuid>,
    /// Of this stored name.
    pub event_type: Option<String>,
    /// Recorded at this time or later.
    pub from: Option<OffsetDateTime>,
    /// Recorded before this time.
    pub to: Option<OffsetDateTime>,
}

pub(crate) const QUERIES: &[Query] = &[
    OF_AGGREGATE,
    OF_SUBJECT,
    OF_ACTOR,
    OF_TYPE,
    OF_ALL,
    SINCE,
    INSERT,
];

/// The list with `$condition` as what leads to the index; the rest only leaves rows out.
macro_rules! list {
    ($condition:literal) => {
        concat!(
            "select position, recorded_at, actor, actor_role, subject, aggregate_type, aggregate_id, \
                    sequence, event_type, event_version, command_id \
             from audit_timeline where ",
            $condition,
            " and ($1::uuid is null or aggregate_id = $1) and ($2::uuid is null or subject = $2) \
              and ($3::uuid is null or actor = $3) and ($4::text is null or event_type = $4) \
              and position >= $5 and position < $6 \
              order by position desc limit $7"
        )
    };
}

const OF_AGGREGATE: Query = Query::read("audit.of_aggregate", list!("aggregate_id = $1"));
const OF_SUBJECT: Query = Query::read("audit.of_subject", list!("subject = $2"));
const OF_ACTOR: Query = Query::read("audit.of_actor", list!("actor = $3"));
const OF_TYPE: Query = Query::read("audit.of_type", list!("event_type = $4"));
const OF_ALL: Query = Query::read("audit.of_all", list!("true"));

const SINCE: Query = Query::read(
    "audit.since",
    "select position from audit_timeline where recorded_at >= $1 \
     order by recorded_at, position limit 1",
);

/// Up to `limit` events that match `filter`, before position `before`, the latest first.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn list(
    snapshot: &mut Snapshot,
    filter: &AuditFilter,
    before: Option<Position>,
    limit: i64,
) -> Result<Vec<AuditEntry>, ReadError> {
    // Time never goes back along positions, so a time is a position as well.
    let mut from = 0;
    if let Some(time) = filter.from {
        let Some(first) = since(snapshot, time).await? else {
            return Ok(Vec::new());
        };
        from = first;
    }
    let mut before = before.unwrap_or(Position::MAX);
    if let Some(time) = filter.to
        && let Some(first) = since(snapshot, time).await?
    {
        before = before.min(first);
    }
    let rows = filter
        .query()
        .ask()
        .bind(filter.aggregate_id)
        .bind(filter.subject)
        .bind(filter.actor)
        .bind(filter.event_type.as_deref())
        .bind(from)
        .bind(before)
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter().map(|row| Ok(entry(row)?)).collect()
}

impl AuditFilter {
    /// By what leaves the fewest.
    fn query(&self) -> Query {
        if self.aggregate_id.is_some() {
            OF_AGGREGATE
        } else if self.subject.is_some() {
            OF_SUBJECT
        } else if self.actor.is_some() {
            OF_ACTOR
        } else if self.event_type.is_some() {
            OF_TYPE
        } else {
            OF_ALL
        }
    }
}

async fn since(
    snapshot: &mut Snapshot,
    time: OffsetDateTime,
) -> Result<Option<Position>, ReadError> {
    let row = SINCE
        .ask()
        .bind(time)
        .fetch_optional(&mut *snapshot.transaction)
        .await?;
    Ok(row.map(|row| row.try_get("position")).transpose()?)
}

fn entry(row: &PgRow) -> Result<AuditEntry, sqlx::Error> {
    Ok(AuditEntry {
        position: row.try_get("position")?,
        recorded_at: row.try_get("recorded_at")?,
        actor: row.try_get("actor")?,
        actor_role: row.try_get("actor_role")?,
        subject: row.try_get("subject")?,
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: row.try_get("sequence")?,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        command_id: row.try_get("command_id")?,
    })
}

const INSERT: Query = Query::write(
    "audit.insert",
    "insert into audit_timeline (position, recorded_at, actor, actor_role, subject, aggregate_type, \
                                 aggregate_id, sequence, event_type, event_version, command_id) \
     select * from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::text[], $5::uuid[], \
                          $6::text[], $7::uuid[], $8::bigint[], $9::text[], $10::text[], $11::uuid[])",
);

/// What a batch adds to the audit timeline.
#[derive(Default)]
pub(crate) struct Changes<'a>(Vec<(Metadata, &'a Recorded)>);

impl<'a> Changes<'a> {
    pub(crate) fn take(&mut self, metadata: Metadata, event: &'a Recorded) {
        self.0.push((metadata, event));
    }

    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let new = &self.0;
        INSERT
            .ask()
            .bind(column!(new, |(_, event)| event.position))
            .bind(column!(new, |(_, event)| event.recorded_at))
            .bind(column!(new, |(metadata, _)| metadata.actor.account))
            .bind(column!(new, |(metadata, _)| metadata.actor.role.as_str()))
            .bind(column!(new, |(metadata, _)| metadata.subject))
            .bind(column!(new, |(_, event)| event.aggregate_type.as_str()))
            .bind(column!(new, |(_, event)| event.aggregate_id))
            .bind(column!(new, |(_, event)| event.sequence))
            .bind(column!(new, |(_, event)| event.event_type.as_str()))
            .bind(column!(new, |(_, event)| event.event_version.as_str()))
            .bind(column!(new, |(metadata, _)| metadata.command_id))
            .execute(replica)
            .await?;
        Ok(())
    }
}
