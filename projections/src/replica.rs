//! Reading a replica: rows and checkpoint from one snapshot, and waiting until it has come far enough.

use std::time::Duration;

use fido_domain::Position;
use fido_nats::Nats;
use futures::StreamExt;
use sqlx::{PgPool, Postgres, Row, Transaction};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long a reader waits for a replica to come as far as it asks.
const PATIENCE: Duration = Duration::from_secs(2);

/// A question that a replica could not answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It has not come that far yet.
    #[error("the replica shows the log up to {position}, {asked} was asked for")]
    Behind {
        /// How far it is.
        position: Position,
        /// How far it should be.
        asked: Position,
    },
    /// It could not be asked.
    #[error("the replica cannot be reached")]
    Unavailable(#[from] sqlx::Error),
}

/// The replica that queries go to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Replicas {
    pool: PgPool,
    name: String,
    position: watch::Sender<Position>,
}

impl Replicas {
    /// The replica `name` behind `pool`, whose `search_path` is [`crate::SCHEMA`].
    pub fn new(name: impl Into<String>, pool: PgPool) -> Self {
        Self {
            pool,
            name: name.into(),
            position: watch::Sender::new(0),
        }
    }

    /// The position that the replica is known to have reached, as it changes.
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    /// Learns the replica's position whenever its projector announces it, until `shutdown`.
    pub async fn follow(self, nats: Nats, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match nats.replica_positions().await {
                Ok(mut positions) => loop {
                    let announced = tokio::select! {
                        () = shutdown.cancelled() => return,
                        announced = positions.next() => announced,
                    };
                    match announced {
                        Some((name, position)) if name == self.name => self.announced(position),
                        Some(_another) => {}
                        None => break,
                    }
                },
                Err(error) => {
                    tracing::warn!(error = %error, "positions of replicas are not heard of");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// A view of the replica at `at_least` or later; as it is now when nothing is asked for.
    ///
    /// # Errors
    /// [`ReadError::Behind`] when the replica does not come that far within two seconds,
    /// [`ReadError::Unavailable`] when it cannot be asked.
    pub async fn read(&self, at_least: Option<Position>) -> Result<Snapshot, ReadError> {
        let asked = at_least.unwrap_or(0);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut announced = self.position.subscribe();
        loop {
            announced.mark_unchanged();
            let snapshot = self.snapshot().await?;
            let position = snapshot.position();
            if position >= asked {
                return Ok(snapshot);
            }
            drop(snapshot);
            let now = tokio::time::Instant::now();
            if now >= deadline {
                return Err(ReadError::Behind { position, asked });
            }
            // Announcements may get lost: look again now and then. Only news counts, as a replica
            // that is built anew is not where it once was.
            let news = reached(&mut announced, asked);
            let _ = tokio::time::timeout_at(deadline.min(now + PATIENCE / 10), news).await;
        }
    }

    /// How far the replica is.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn position(&self) -> Result<Position, ReadError> {
        Ok(self.read(None).await?.position())
    }

    /// Whether the replica answers.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn ping(&self) -> Result<(), ReadError> {
        self.position().await.map(drop)
    }

    async fn snapshot(&self) -> Result<Snapshot, ReadError> {
        let mut transaction = self
            .pool
            .begin_with("begin isolation level repeatable read read only")
            .await?;
        let row = sqlx::query("select position, epoch from checkpoint")
            .fetch_one(&mut *transaction)
            .await?;
        let position: Position = row.try_get("position")?;
        // A snapshot may be older than the latest announcement.
        self.position
            .send_if_modified(|known| position > std::mem::replace(known, position.max(*known)));
        Ok(Snapshot {
            epoch: row.try_get("epoch")?,
            transaction,
            position,
        })
    }

    /// The projector's word is the latest, also when the replica begins again from nothing.
    fn announced(&self, position: Position) {
        self.position
            .send_if_modified(|known| position != std::mem::replace(known, position));
    }
}

/// Waits for a new position that is far enough.
async fn reached(announced: &mut watch::Receiver<Position>, asked: Position) {
    // The sender lives as long as the replica that is being read.
    while announced.changed().await.is_ok() {
        if *announced.borrow_and_update() >= asked {
            return;
        }
    }
}

/// One moment of a replica: everything read through it belongs to the same position.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) transaction: Transaction<'static, Postgres>,
    position: Position,
    epoch: Option<i32>,
}

impl Snapshot {
    /// The position that it shows.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The epoch of the log that the replica follows; none before its projector has met a log.
    pub fn epoch(&self) -> Option<i32> {
        self.epoch
    }
}
