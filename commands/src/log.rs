//! The log by position, for those who tell others: the relay, projectors that refill a hole, audit.

use fido_domain::epochs::NoEpoch;
use fido_domain::{Epoch, Epochs, Position, Recorded};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// The log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The database could not be asked.
    #[error("the event store cannot be read")]
    Database(#[from] sqlx::Error),
    /// A stored column is not what the schema promises.
    #[error("event {position} is malformed: {what}")]
    Malformed {
        /// Where it stands.
        position: Position,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The schema is there, the row with which every log begins is not.
    #[error(transparent)]
    NoEpoch(#[from] NoEpoch),
}

/// The log, read-only. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    pool: PgPool,
}

impl Log {
    /// The log behind `pool`.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Which log this is; stays the same for its whole life, restores included.
    ///
    /// # Errors
    /// [`LogError::Database`].
    pub async fn id(&self) -> Result<Uuid, LogError> {
        Ok(
            sqlx::query_scalar("select log_id from log_epochs order by epoch desc limit 1")
                .fetch_one(&self.pool)
                .await?,
        )
    }

    /// The epochs of the log: where its declared gaps are.
    ///
    /// # Errors
    /// [`LogError::Database`] and [`LogError::NoEpoch`].
    pub async fn epochs(&self) -> Result<Epochs, LogError> {
        let epochs = sqlx::query(
            "select log_id, epoch, forked_after, first_position from log_epochs order by epoch",
        )
        .fetch_all(&self.pool)
        .await?
        .iter()
        .map(epoch)
        .collect::<Result<_, _>>()?;
        Ok(Epochs::try_new(epochs)?)
    }

    /// The last position; 0 when nothing has happened yet. At the beginning of a later epoch that is
    /// the position before its first event.
    ///
    /// # Errors
    /// [`LogError::Database`].
    pub async fn head(&self) -> Result<Position, LogError> {
        Ok(sqlx::query_scalar("select position from log_head")
            .fetch_one(&self.pool)
            .await?)
    }

    /// Up to `limit` events after `position`, in order. Because positions are given out in commit
    /// order, an event that is not there yet can only come after those that are.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn after(&self, position: Position, limit: i64) -> Result<Vec<Recorded>, LogError> {
        sqlx::query(
            "select position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                    payload::text as payload, metadata::text as metadata, recorded_at \
             from events where position > $1 order by position limit $2",
        )
        .bind(position)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?
        .iter()
        .map(recorded)
        .collect()
    }

    /// One whole stream, in order; empty when there is none.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn stream(&self, aggregate_type: &str, id: Uuid) -> Result<Vec<Recorded>, LogError> {
        self.stream_until(aggregate_type, id, Position::MAX, None)
            .await
    }

    /// One stream as far as it had come at `position`, and at `time` where there is one.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn stream_until(
        &self,
        aggregate_type: &str,
        id: Uuid,
        position: Position,
        time: Option<OffsetDateTime>,
    ) -> Result<Vec<Recorded>, LogError> {
        // The stream's row bounds the positions, so that only the segments that hold it are touched.
        sqlx::query(
            "select e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, \
                    e.event_version, e.payload::text as payload, e.metadata::text as metadata, \
                    e.recorded_at \
             from streams s cross join lateral (\
                  select * from events \
                   where aggregate_type = s.aggregate_type and aggregate_id = s.aggregate_id \
                     and position between s.first_position and least(s.last_position, $3) \
                     and ($4::timestamptz is null or recorded_at <= $4) \
                  offset 0) e \
             where s.aggregate_type = $1 and s.aggregate_id = $2 order by e.sequence",
        )
        .bind(aggregate_type)
        .bind(id.to_string())
        .bind(position)
        .bind(time)
        .fetch_all(&self.pool)
        .await?
        .iter()
        .map(recorded)
        .collect()
    }

    /// Whose data a stream is, which never changes; none when there is no such stream.
    ///
    /// # Errors
    /// [`LogError::Database`].
    pub async fn subject_of(
        &self,
        aggregate_type: &str,
        id: Uuid,
    ) -> Result<Option<Uuid>, LogError> {
        let subject = sqlx::query_scalar(
            "select subject from streams where aggregate_type = $1 and aggregate_id = $2",
        );
        Ok(subject
            .bind(aggregate_type)
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?)
    }

    /// The last position and the time, by the clock that events are recorded with.
    ///
    /// # Errors
    /// [`LogError::Database`].
    pub async fn now(&self) -> Result<(Position, OffsetDateTime), LogError> {
        let now = sqlx::query_as("select position, clock_timestamp() from log_head");
        Ok(now.fetch_one(&self.pool).await?)
    }
}

pub(crate) fn epoch(row: &PgRow) -> Result<Epoch, sqlx::Error> {
    Ok(Epoch {
        log_id: row.try_get("log_id")?,
        epoch: row.try_get("epoch")?,
        forked_after: row.try_get("forked_after")?,
        first_position: row.try_get("first_position")?,
    })
}

fn recorded(row: &PgRow) -> Result<Recorded, LogError> {
    let position = row.try_get("position")?;
    let malformed = |what| LogError::Malformed { position, what };
    let json = |column| -> Result<Box<RawValue>, LogError> {
        RawValue::from_string(row.try_get(column)?).map_err(|_| malformed("not JSON"))
    };
    Ok(Recorded {
        position,
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row
            .try_get::<&str, _>("aggregate_id")?
            .parse()
            .map_err(|_| malformed("its aggregate_id is not a UUID"))?,
        sequence: row.try_get("sequence")?,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        payload: json("payload")?,
        metadata: json("metadata")?,
        recorded_at: row.try_get::<OffsetDateTime, _>("recorded_at")?,
    })
}
