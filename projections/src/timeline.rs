//! Each account's own part of the log, from which a live stream resumes.

use fido_domain::{Position, Recorded};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::{ReadError, Snapshot};

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
    let rows = sqlx::query(
        "select position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                payload::text as payload, metadata::text as metadata, recorded_at \
         from timeline where account_id = $1 and position > $2 and position <= $3 \
         order by position limit $4",
    )
    .bind(account_id)
    .bind(after)
    .bind(up_to)
    .bind(limit)
    .fetch_all(&mut *snapshot.transaction)
    .await?;
    rows.iter().map(|row| Ok(recorded(row)?)).collect()
}

fn recorded(row: &PgRow) -> Result<Recorded, sqlx::Error> {
    let json = |column: &str| {
        RawValue::from_string(row.try_get(column)?)
            .map_err(|error| sqlx::Error::Decode(error.into()))
    };
    Ok(Recorded {
        position: row.try_get("position")?,
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: row.try_get("sequence")?,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        payload: json("payload")?,
        metadata: json("metadata")?,
        recorded_at: row.try_get("recorded_at")?,
    })
}

/// All events of a batch at once.
pub(crate) async fn apply(
    replica: &mut PgConnection,
    events: &[(Uuid, &Recorded)],
) -> Result<(), sqlx::Error> {
    let column = |of: fn(&Recorded) -> String| -> Vec<String> {
        events.iter().map(|(_, event)| of(event)).collect()
    };
    sqlx::query(
        "insert into timeline (account_id, position, aggregate_type, aggregate_id, sequence, \
                               event_type, event_version, payload, metadata, recorded_at) \
         select account_id, position, aggregate_type, aggregate_id, sequence, \
                event_type, event_version, payload::json, metadata::json, recorded_at \
         from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::bigint[], \
                     $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[]) \
              as t (account_id, position, aggregate_type, aggregate_id, sequence, \
                    event_type, event_version, payload, metadata, recorded_at)",
    )
    .bind(
        events
            .iter()
            .map(|(account, _)| *account)
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|(_, event)| event.position)
            .collect::<Vec<_>>(),
    )
    .bind(column(|event| event.aggregate_type.clone()))
    .bind(
        events
            .iter()
            .map(|(_, event)| event.aggregate_id)
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|(_, event)| event.sequence)
            .collect::<Vec<_>>(),
    )
    .bind(column(|event| event.event_type.clone()))
    .bind(column(|event| event.event_version.clone()))
    .bind(column(|event| event.payload.get().to_owned()))
    .bind(column(|event| event.metadata.get().to_owned()))
    .bind(
        events
            .iter()
            .map(|(_, event)| event.recorded_at)
            .collect::<Vec<_>>(),
    )
    .execute(replica)
    .await?;
    Ok(())
}
