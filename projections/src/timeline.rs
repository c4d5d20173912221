//! Each account's own part of the log, from which a live stream resumes.

use fido_domain::{Position, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::query::{Query, column};
use crate::{ReadError, Snapshot, recorded};

pub(crate) const QUERIES: &[Query] = &[AFTER, INSERT];

const AFTER: Query = Query::read(
    "timeline.after",
    "select position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
            payload::text as payload, metadata::text as metadata, recorded_at \
     from timeline where account_id = $1 and position > $2 and position <= $3 \
     order by position limit $4",
);

/// Up to `limit` events of `account_id` at positions in `(after, up_to]`, in order.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn after(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    after: Position,
    up_to: Position,
    limit: i64,
) -> Result<Vec<Recorded>, ReadError> {
    let rows = AFTER
        .ask()
        .bind(account_id)
        .bind(after)
        .bind(up_to)
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter().map(|row| Ok(recorded(row)?)).collect()
}

const INSERT: Query = Query::write(
    "timeline.insert",
    "insert into timeline (account_id, position, aggregate_type, aggregate_id, sequence, \
                           event_type, event_version, payload, metadata, recorded_at) \
     select account_id, position, aggregate_type, aggregate_id, sequence, \
            event_type, event_version, payload::json, metadata::json, recorded_at \
     from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::bigint[], \
                 $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[]) \
          as t (account_id, position, aggregate_type, aggregate_id, sequence, \
                event_type, event_version, payload, metadata, recorded_at)",
);

/// What a batch adds to timelines.
#[derive(Default)]
pub(crate) struct Changes<'a>(Vec<(Uuid, &'a Recorded)>);

impl<'a> Changes<'a> {
    pub(crate) fn take(&mut self, account_id: Uuid, event: &'a Recorded) {
        self.0.push((account_id, event));
    }

    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let new = &self.0;
        INSERT
            .ask()
            .bind(column!(new, |(account_id, _)| *account_id))
            .bind(column!(new, |(_, event)| event.position))
            .bind(column!(new, |(_, event)| event.aggregate_type.as_str()))
            .bind(column!(new, |(_, event)| event.aggregate_id))
            .bind(column!(new, |(_, event)| event.sequence))
            .bind(column!(new, |(_, event)| event.event_type.as_str()))
            .bind(column!(new, |(_, event)| event.event_version.as_str()))
            .bind(column!(new, |(_, event)| event.payload.get()))
            .bind(column!(new, |(_, event)| event.metadata.get()))
            .bind(column!(new, |(_, event)| event.recorded_at))
            .execute(replica)
            .await?;
        Ok(())
    }
}
