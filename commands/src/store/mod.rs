//! The event store: load with postgres-es, decide through cqrs-es, append in one call, try again
//! when somebody else was faster.

mod context;
mod turns;
mod unit_of_work;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cqrs_es::{AggregateError, CqrsFramework};
use fido_domain::{Position, Recorded};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::decide::{Decide, Decider};
use turns::Turns;
use unit_of_work::{ClaimTaken, UnitOfWork};

pub use context::CommandContext;

/// How long a command is decided afresh after writers of other processes were faster.
///
/// Each conflict means that some other command succeeded, so this bounds unfairness, not progress.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a command has led to.
#[derive(Debug, Clone)]
pub struct Committed<E> {
    /// The events, in order; none when everything was so already.
    pub events: Vec<(E, Recorded)>,
    /// The position of the stream's last event: a reader that has reached it sees this command.
    pub position: Position,
    /// The stream's sequence after the command.
    pub sequence: i64,
}

/// Why a command has led to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<R: std::error::Error + 'static> {
    /// The aggregate said no.
    #[error(transparent)]
    Refused(R),
    /// A value is taken by another stream.
    #[error("the {kind} is taken")]
    ClaimTaken {
        /// The kind of value.
        kind: String,
    },
    /// Other writers were faster for seconds.
    #[error("the {aggregate_type} is being changed by others; try again")]
    Contended {
        /// What is being changed.
        aggregate_type: &'static str,
    },
    /// The database could not be asked.
    #[error("the event store cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The stream holds what this build cannot read, or an event could not be written down.
    #[error("the stream of the {aggregate_type} cannot be read")]
    Corrupt {
        /// Which kind of stream.
        aggregate_type: &'static str,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The log ends before what has been seen: it lost its tail, and nothing may be written before an
    /// operator has declared a new epoch ([`crate::fork`]).
    #[error("log diverged at {}", head + 1)]
    Diverged {
        /// The last position of the log.
        head: Position,
    },
}

/// The event store of this process. Cheap to clone.
#[derive(Clone)]
pub struct EventStore {
    pool: PgPool,
    turns: Turns,
    appended: Arc<watch::Sender<Position>>,
    witnessed: Arc<AtomicI64>,
}

impl EventStore {
    /// A store on `pool`, which is connected as `fido_app`.
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            turns: Turns::new(),
            appended: Arc::new(watch::Sender::new(0)),
            witnessed: Arc::new(AtomicI64::new(0)),
        }
    }

    /// The last position that this process has appended; whoever wakes the relay watches it.
    pub fn appended(&self) -> watch::Receiver<Position> {
        self.appended.subscribe()
    }

    /// Somebody who is to be trusted (the event stream, a replica) has seen the log up to `position`.
    /// A log that ends before it has lost its tail, and nothing is appended to it.
    pub fn witness(&self, position: Position) {
        self.witnessed.fetch_max(position, Ordering::Relaxed);
    }

    /// The highest position that was ever [witnessed](Self::witness).
    pub fn witnessed(&self) -> Position {
        self.witnessed.load(Ordering::Relaxed)
    }

    /// The connections of the event store, for what stands beside the log (`auth`).
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Lets the stream `id` decide on `command` and records what follows.
    ///
    /// # Errors
    /// [`ExecuteError`]. Nothing of the command is in the log then, except that after
    /// [`ExecuteError::Unavailable`] it may be, if the line broke for longer than it was asked again.
    pub async fn execute<S>(
        &self,
        id: Uuid,
        command: S::Command,
        context: &CommandContext,
    ) -> Result<Committed<S::Event>, ExecuteError<S::Refusal>>
    where
        S: Decide,
        S::Command: Clone,
    {
        let _turn = self.turns.wait(id).await;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let done = Arc::new(Mutex::new(None));
            let unit = UnitOfWork {
                store: self,
                context,
                done: Arc::clone(&done),
            };
            let framework = CqrsFramework::<Decider<S>, _>::new(unit, Vec::new(), ());
            match framework.execute(&id.to_string(), command.clone()).await {
                Ok(()) => {
                    let committed = done.lock().unwrap_or_else(PoisonError::into_inner).take();
                    return match committed {
                        Some(committed) => Ok(committed),
                        None => Err(corrupt::<S>("the unit of work ended without an outcome")),
                    };
                }
                Err(AggregateError::AggregateConflict) => {}
                Err(AggregateError::UserError(refusal)) => {
                    return Err(ExecuteError::Refused(refusal));
                }
                Err(AggregateError::DatabaseConnectionError(source)) => {
                    return Err(ExecuteError::Unavailable(source));
                }
                Err(AggregateError::DeserializationError(source)) => {
                    return Err(ExecuteError::Corrupt {
                        aggregate_type: S::TYPE,
                        source,
                    });
                }
                Err(AggregateError::UnexpectedError(source)) => {
                    return Err(match source.downcast::<ClaimTaken>() {
                        Ok(taken) => ExecuteError::ClaimTaken { kind: taken.0 },
                        Err(source) => ExecuteError::Unavailable(source),
                    });
                }
            }
        }
        Err(ExecuteError::Contended {
            aggregate_type: S::TYPE,
        })
    }
}

fn corrupt<S: Decide>(what: &str) -> ExecuteError<S::Refusal> {
    ExecuteError::Corrupt {
        aggregate_type: S::TYPE,
        source: what.into(),
    }
}
