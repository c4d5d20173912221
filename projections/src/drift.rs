//! A background look at whether a replica still holds what the log says: random streams are projected
//! again, alone, and compared with the live rows at one position.
//!
//! The rows are written anew by the very code that wrote the live ones, into temporary tables of the
//! same names, which hide the live ones from everything that does not name a schema. From then on the
//! transaction is read-only, so that the database itself would refuse a write to any other table.

mod compare;
mod report;

use std::collections::BTreeSet;
use std::time::Duration;

use fido_commands::ambient;
use fido_commands::log::{Log, LogError};
use fido_domain::{Position, Recorded};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::rows::{self, WriteError};
use crate::verify::{self, VerifyError};
use crate::{ReadError, SCHEMA, run_sql};

pub(crate) use report::stored;
pub use report::{Drift, Drifted, last};

/// Events that are projected at a time.
const BATCH: usize = 1_000;

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DriftError(Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the replica cannot be read")]
    Database(#[from] sqlx::Error),
}

/// Looks at one replica now and then.
#[derive(Debug, Clone)]
pub struct DriftWatch {
    /// The replica's name.
    pub replica: String,
    /// The replica, as the role that Fido runs as, with [`SCHEMA`] as `search_path`.
    pub place: PgConnectOptions,
    /// The truth.
    pub log: Log,
    /// How long to look away.
    pub every: Duration,
    /// How many streams to look at.
    pub streams: usize,
}

/// Which stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stream {
    aggregate_type: String,
    aggregate_id: Uuid,
}

impl DriftWatch {
    /// Looks again and again, until `shutdown`. What is found is kept in the replica ([`last`]), and a
    /// difference is logged.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.every) => {}
            }
            let looked = tokio::select! {
                () = shutdown.cancelled() => return,
                looked = self.look() => looked,
            };
            if let Err(error) = looked {
                tracing::warn!(
                    replica.name = self.replica,
                    error = %error,
                    "whether the replica drifts could not be found out; looking again later"
                );
            }
        }
    }

    /// Looks once; none when there is nothing to look at yet.
    ///
    /// # Errors
    /// [`DriftError`].
    pub async fn look(&self) -> Result<Option<Drift>, DriftError> {
        self.look_at_some().await.map_err(DriftError)
    }

    async fn look_at_some(&self) -> Result<Option<Drift>, Reason> {
        // A connection of its own: a statement that was prepared before the temporary tables are there
        // would go on meaning the live ones.
        let mut replica = PgConnection::connect_with(&self.place).await?;
        verify::pin_text(&mut replica).await?;
        let before = report::stored(&mut replica).await?;
        run_sql(&mut replica, "begin isolation level repeatable read").await?;
        let row = sqlx::query("select position, epoch from checkpoint")
            .fetch_one(&mut replica)
            .await?;
        let position: Position = row.try_get("position")?;
        let epoch: Option<i32> = row.try_get("epoch")?;
        // In another epoch some of what it shows may be lost, and its projector is about to see to it.
        if position == 0 || epoch != Some(self.log.epochs().await?.current().epoch) {
            return Ok(None);
        }
        let suspect = before.and_then(|before| before.first);
        let mut streams = self.choose(position, suspect).await?;
        without_quarantined(&mut replica, &mut streams).await?;
        let events = self.events(&streams, position).await?;
        let tables = verify::tables(&mut replica, SCHEMA).await?;
        for table in &tables {
            let table = table.quoted();
            run_sql(&mut replica, &format!(
                "create temporary table {table} (like {SCHEMA}.{table} including all) on commit drop"
            )).await?;
        }
        run_sql(&mut replica, "set transaction read only").await?;
        for batch in events.chunks(BATCH) {
            rows::write(&mut replica, batch).await?;
        }
        // Writing has chosen plans for itself.
        run_sql(
            &mut replica,
            "set local enable_hashjoin = on; set local enable_mergejoin = on",
        )
        .await?;
        let drifted = compare::drifted(&mut replica, &tables, &streams).await?;
        run_sql(&mut replica, "rollback").await?;
        let drift = Drift {
            position,
            checked_at: ambient::now(),
            streams: streams.len(),
            differing: drifted
                .iter()
                .map(|drifted| drifted.aggregate_id)
                .collect::<BTreeSet<_>>()
                .len(),
            first: drifted.into_iter().next(),
        };
        report::keep(&mut replica, &drift).await?;
        replica.close().await?;
        if let Some(first) = &drift.first {
            tracing::error!(
                replica.name = self.replica,
                position,
                stream.kind = first.aggregate_type,
                stream.id = %first.aggregate_id,
                table = first.table,
                "the replica does not hold what the log says; see `fido replica verify` and `rebuild`"
            );
        }
        Ok(Some(drift))
    }

    /// Streams that have an event up to `position`, the longer ones more often, and the one that was
    /// not right the last time.
    async fn choose(
        &self,
        position: Position,
        suspect: Option<Drifted>,
    ) -> Result<BTreeSet<Stream>, Reason> {
        let mut streams: BTreeSet<Stream> = suspect
            .into_iter()
            .map(|suspect| Stream {
                aggregate_type: suspect.aggregate_type,
                aggregate_id: suspect.aggregate_id,
            })
            .collect();
        for _ in 0..self.streams {
            let random = u64::from_le_bytes(ambient::random());
            let before = random.checked_rem(position.unsigned_abs()).unwrap_or(0);
            let before = Position::try_from(before).unwrap_or(0);
            let event = self.log.after(before, 1).await?.into_iter().next();
            streams.extend(
                event
                    .filter(|event| event.position <= position)
                    .map(|event| Stream {
                        aggregate_type: event.aggregate_type,
                        aggregate_id: event.aggregate_id,
                    }),
            );
        }
        Ok(streams)
    }

    /// All events of `streams` up to `position`, in the order of the log.
    async fn events(
        &self,
        streams: &BTreeSet<Stream>,
        position: Position,
    ) -> Result<Vec<Recorded>, Reason> {
        let mut events = Vec::new();
        for stream in streams {
            let all = self
                .log
                .stream(&stream.aggregate_type, stream.aggregate_id)
                .await?;
            events.extend(all.into_iter().filter(|event| event.position <= position));
        }
        events.sort_unstable_by_key(|event| event.position);
        Ok(events)
    }
}

/// Leaves out streams that are known not to be shown to their end.
async fn without_quarantined(
    replica: &mut PgConnection,
    streams: &mut BTreeSet<Stream>,
) -> Result<(), Reason> {
    let ids: Vec<Uuid> = streams.iter().map(|stream| stream.aggregate_id).collect();
    let parked: Vec<Uuid> =
        sqlx::query_scalar("select aggregate_id from quarantine where aggregate_id = any($1)")
            .bind(ids)
            .fetch_all(replica)
            .await?;
    streams.retain(|stream| !parked.contains(&stream.aggregate_id));
    Ok(())
}
