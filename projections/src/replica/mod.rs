//! Reading from several replicas: each query goes to the healthiest one that has come far enough, and
//! to another one when that fails. Rows and checkpoint are from one snapshot, always.

mod analysts;
mod choice;
mod endpoint;
mod errand;
mod follow;
mod known;
mod probe;
mod shared;
mod snapshot;
mod survey;

use std::sync::Arc;
use std::time::Duration;

use fido_domain::{Epoch, Position};
use sqlx::PgPool;
use tokio::sync::watch;

pub use snapshot::Snapshot;
pub use survey::{Shown, Surveyed};

use errand::Errand;
use shared::Shared;

/// How long a reader waits for a replica to come as far as it asks, or to come back.
const PATIENCE: Duration = Duration::from_secs(2);

/// A question that no replica could answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// None has come that far yet.
    #[error("the replicas show the log up to {position}, {asked} was asked for")]
    Behind {
        /// How far the furthest is known to be.
        position: Position,
        /// How far it should be.
        asked: Position,
    },
    /// None of them answers.
    #[error("no replica can be reached")]
    NoneAlive,
    /// It was asked and failed, and there was no other.
    #[error("the replica cannot be reached")]
    Unavailable(#[from] sqlx::Error),
}

/// A replica, or a physical standby of one.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Its name, by which its projector announces it; a standby has a name of its own.
    pub name: String,
    /// The connections to it, with [`crate::SCHEMA`] as `search_path`.
    pub pool: PgPool,
    /// Kept for analysts: no ordinary query goes there.
    pub is_reserved: bool,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Ordinary,
    Analysis,
}

impl Purpose {
    /// How long an answer may take before another replica is asked.
    fn patience(self) -> Duration {
        match self {
            Self::Ordinary => Duration::from_secs(3),
            // The server's own limit comes first.
            Self::Analysis => Duration::from_secs(120),
        }
    }
}

/// The replicas that queries go to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Replicas {
    shared: Arc<Shared>,
    purpose: Purpose,
}

impl Replicas {
    /// Routes between `replicas`. Nothing is known of them yet; [`follow`](Self::follow) learns it.
    pub fn new(replicas: impl IntoIterator<Item = Replica>) -> Self {
        Self {
            shared: Shared::new(replicas),
            purpose: Purpose::Ordinary,
        }
    }

    /// The log that they have to show, and the epoch that it is in. A replica of another log is not
    /// asked, and one that is still in another epoch only by those who ask for no position.
    pub fn expect(&self, epoch: &Epoch) {
        self.shared.expect(epoch);
    }

    /// The furthest position that any of them is known to have reached, as it grows.
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.shared.furthest()
    }

    /// What `query` finds at `at_least` or later, or now when nothing is asked for, and the position
    /// that it belongs to. When the replica fails under it, the query is put to another one.
    ///
    /// # Errors
    /// [`ReadError::Behind`] when none comes that far within two seconds, [`ReadError::NoneAlive`]
    /// when none answers, and what `query` says where asking another would not help.
    pub async fn ask<T, F>(
        &self,
        at_least: Option<Position>,
        query: impl Fn(Snapshot) -> F,
    ) -> Result<(Position, T), ReadError>
    where
        F: Future<Output = Result<T, ReadError>>,
    {
        let mut errand = Errand::new(self, at_least);
        loop {
            let snapshot = errand.open().await?;
            let (position, endpoint) = (snapshot.position(), snapshot.endpoint());
            let answer = tokio::select! {
                answer = query(snapshot) => Some(answer),
                () = endpoint.went_out() => None,
                () = tokio::time::sleep(self.purpose.patience()) => None,
            };
            match answer {
                Some(Ok(found)) => return Ok((position, found)),
                Some(Err(ReadError::Unavailable(error))) => errand.failed(&endpoint, error)?,
                Some(Err(error)) => return Err(error),
                None => errand.silent(&endpoint),
            }
        }
    }

    /// A view of a replica at `at_least` or later; as it is now when nothing is asked for. Whoever
    /// reads through it meets the replica's failures; [`ask`](Self::ask) turns to another one.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn read(&self, at_least: Option<Position>) -> Result<Snapshot, ReadError> {
        Errand::new(self, at_least).open().await
    }

    /// How far the replica is that a query would go to now.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn position(&self) -> Result<Position, ReadError> {
        Ok(self.read(None).await?.position())
    }
}
