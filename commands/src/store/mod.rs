//! The event store: load, decide, append, and again when somebody else was faster.
//!
//! [`EventStore::execute`] is the one way in which anything is ever recorded:
//!
//! 1. Commands of this process for one stream take turns (`turns`).
//! 2. The stream's state comes from memory (`cache`) or is loaded by postgres-es.
//! 3. A pure [`Decide::decide`], driven by cqrs-es, answers with events or a refusal.
//! 4. The events are written as canonical JSON, their private fields sealed ([`crate::vault`]), and
//!    appended together with other commands' ([`crate::append`]).
//! 5. If another process has added to the stream meanwhile, what it added is loaded and the command
//!    is decided again.
//!
//! A request that is sent twice has one effect: see [`crate::Receipt`].

mod cache;
mod context;
pub mod past;
mod receipts;
mod turns;
mod unit_of_work;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cqrs_es::{AggregateError, CqrsFramework};
use fido_domain::{Position, Recorded};
use postgres_es::PostgresEventRepository;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::append::{AppendError, Appender, Pulse};
use crate::decide::{Decide, Decider};
use crate::vault::{Vault, VaultError};
use cache::States;
use turns::Turns;
use unit_of_work::{Aside, Attempt, UnitOfWork};

pub use context::{CommandContext, Origin};

/// How long a command is decided afresh after writers of other processes were faster.
///
/// Each conflict means that some other command succeeded, so this bounds unfairness, not progress.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a command has led to.
#[derive(Debug, Clone)]
pub struct Committed<E> {
    /// The events, in order; none when everything was so already.
    pub events: Vec<(E, Placed)>,
    /// The position of the stream's last event: a reader that has reached it sees this command.
    pub position: Position,
    /// Whether it was done before, by a request with the same `Idempotency-Key`.
    pub replayed: bool,
}

impl<E> Committed<E> {
    fn nothing(position: Position) -> Self {
        Self {
            events: Vec::new(),
            position,
            replayed: false,
        }
    }
}

/// Where and when an event was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its place in the whole log.
    pub position: Position,
    /// The stream it belongs to.
    pub aggregate_id: Uuid,
    /// Its place in that stream.
    pub sequence: i64,
    /// When the log took it.
    pub recorded_at: OffsetDateTime,
}

impl Placed {
    /// Where `recorded` stands.
    pub fn of(recorded: &Recorded) -> Self {
        Self {
            position: recorded.position,
            aggregate_id: recorded.aggregate_id,
            sequence: recorded.sequence,
            recorded_at: recorded.recorded_at,
        }
    }
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
    /// The stream is not where whoever asks has seen it ([`CommandContext::expected`]).
    #[error("the {aggregate_type} has changed: it is at {current}")]
    Stale {
        /// What has changed.
        aggregate_type: &'static str,
        /// The sequence of its last event.
        current: i64,
    },
    /// The `Idempotency-Key` was used for something else before.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// Other writers were faster for seconds.
    #[error("the {aggregate_type} is being changed by others; try again")]
    Contended {
        /// What is being changed.
        aggregate_type: &'static str,
    },
    /// More commands wait than there is room for.
    #[error("too many commands wait for the event store; try again")]
    Overloaded,
    /// The key that its content would be sealed with was destroyed.
    #[error("the {aggregate_type} was erased")]
    Erased {
        /// What was erased.
        aggregate_type: &'static str,
    },
    /// The log has lost its tail; nothing is recorded until an operator has said how to go on.
    #[error("log diverged at {}", head + 1)]
    Diverged {
        /// Where it ends now.
        head: Position,
    },
    /// The database or the vault could not be asked.
    #[error("the event store cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The stream holds what this build cannot read, or an event could not be written down.
    #[error("the {aggregate_type} cannot be read or written")]
    Corrupt {
        /// Which kind of stream.
        aggregate_type: &'static str,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The event store of this process. Cheap to clone.
#[derive(Clone)]
pub struct EventStore {
    pool: PgPool,
    vault: Vault,
    appender: Appender,
    states: States,
    turns: Turns,
    keys: Turns,
}

impl EventStore {
    /// A store on `pool`, which is connected as `fido_app`, with the keys of `vault`. Its appender is
    /// a task of the current runtime and has a connection of its own, opened when it is needed.
    pub fn new(pool: PgPool, vault: Vault) -> Self {
        let options = (*pool.connect_options()).clone();
        Self {
            appender: Appender::start(options.application_name("fido appender")),
            pool,
            vault,
            states: States::new(),
            turns: Turns::new(),
            keys: Turns::new(),
        }
    }

    /// The last position that this process has appended; whoever wakes the relay watches it.
    pub fn appended(&self) -> watch::Receiver<Position> {
        self.pulse().appended()
    }

    /// Something trusted has shown `position`, such as the broker or a replica: a log that ends
    /// before it has lost its tail, and nothing is appended to it.
    pub fn witness(&self, position: Position) {
        self.pulse().witness(position);
    }

    /// The connections of the event store, for what stands beside the log (`auth`).
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The keys of what is in the log.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    fn pulse(&self) -> &Arc<Pulse> {
        self.appender.pulse()
    }

    /// Streams as postgres-es loads them, through a view that touches only the segments that hold one.
    fn repository(&self) -> PostgresEventRepository {
        PostgresEventRepository::new(self.pool.clone()).with_tables("stream_events", "no_snapshots")
    }

    /// Lets the stream `id` decide on `command` and records what follows.
    ///
    /// # Errors
    /// [`ExecuteError`]. Nothing of the command is in the log then, and nothing will be.
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
        let Some(receipt) = &context.receipt else {
            return self.decide_and_append::<S>(id, command, context).await;
        };
        // Those with one key take turns, and so do those at one stream; never the other way round.
        let _turn = self.keys.wait_for(&receipt.key_hash).await;
        if let Some(replayed) = self.replay::<S>(receipt).await? {
            return Ok(replayed);
        }
        match self.decide_and_append::<S>(id, command, context).await {
            // Another process may have done it in between, which is why it is refused now.
            Err(refused @ (ExecuteError::Refused(_) | ExecuteError::Stale { .. })) => {
                self.replay::<S>(receipt).await?.ok_or(refused)
            }
            Err(ExecuteError::KeyReused) => self.replay_surely::<S>(receipt).await,
            settled => settled,
        }
    }

    async fn decide_and_append<S>(
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
        let mut overtaken = false;
        while Instant::now() < deadline {
            let attempt = Arc::new(Mutex::new(Attempt::default()));
            let unit = UnitOfWork {
                store: self,
                context,
                overtaken,
                attempt: Arc::clone(&attempt),
            };
            let framework = CqrsFramework::<Decider<S>, _>::new(unit, Vec::new(), ());
            let ended = framework.execute(&id.to_string(), command.clone()).await;
            let attempt =
                std::mem::take(&mut *attempt.lock().unwrap_or_else(PoisonError::into_inner));
            match ended {
                Ok(()) => {
                    return attempt
                        .committed
                        .ok_or_else(|| corrupt::<S>("the unit of work ended without an outcome"));
                }
                Err(AggregateError::AggregateConflict) => overtaken = true,
                Err(AggregateError::UserError(refusal)) => match attempt.remembered {
                    // It was refused on what is remembered: what others have done since may matter.
                    Some(sequence) if self.stream_end::<S>(id).await?.0 != sequence => {
                        overtaken = true;
                    }
                    Some(_) | None => return Err(ExecuteError::Refused(refusal)),
                },
                Err(AggregateError::DatabaseConnectionError(source)) => {
                    return Err(ExecuteError::Unavailable(source));
                }
                Err(AggregateError::DeserializationError(source)) => {
                    return Err(corrupt::<S>(source));
                }
                Err(AggregateError::UnexpectedError(source)) => {
                    return Err(match source.downcast::<Aside>() {
                        Ok(aside) => aside.into_error::<S>(),
                        Err(source) => ExecuteError::Unavailable(source),
                    });
                }
            }
        }
        Err(ExecuteError::Contended {
            aggregate_type: S::TYPE,
        })
    }

    /// The sequence and the position of the stream's last event, as they are in the database; both 0
    /// when it has none.
    async fn stream_end<S: Decide>(&self, id: Uuid) -> Result<(i64, Position), Unasked> {
        let end = sqlx::query_as(
            "select last_sequence, last_position from streams \
             where aggregate_type = $1 and aggregate_id = $2",
        )
        .bind(S::TYPE)
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        Ok(end.unwrap_or((0, 0)))
    }

    /// The epoch of the log, asked once; from then on the appender learns of a new one.
    async fn epoch(&self) -> Result<i32, Unasked> {
        let known = self.pulse().epoch();
        if known != 0 {
            return Ok(known);
        }
        let epoch = sqlx::query_scalar("select epoch from log_head")
            .fetch_one(&self.pool)
            .await?;
        self.pulse().begin(epoch);
        Ok(self.pulse().epoch())
    }
}

/// The database could not be asked.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Unasked(#[from] sqlx::Error);

impl<R: std::error::Error> From<Unasked> for ExecuteError<R> {
    fn from(error: Unasked) -> Self {
        Self::Unavailable(error.0.into())
    }
}

impl<R: std::error::Error> From<Unasked> for AggregateError<R> {
    fn from(error: Unasked) -> Self {
        Self::DatabaseConnectionError(error.0.into())
    }
}

impl Aside {
    fn into_error<S: Decide>(self) -> ExecuteError<S::Refusal> {
        match self {
            Self::ClaimTaken(kind) => ExecuteError::ClaimTaken { kind },
            Self::ReceiptExists => ExecuteError::KeyReused,
            Self::Stale { current } => ExecuteError::Stale {
                aggregate_type: S::TYPE,
                current,
            },
            Self::Append(AppendError::Full) => ExecuteError::Overloaded,
            Self::Append(AppendError::Diverged { head }) => ExecuteError::Diverged { head },
            Self::Append(error @ AppendError::Refused(_)) => corrupt::<S>(error),
            Self::Append(error @ (AppendError::Unreachable | AppendError::Busy(_))) => {
                ExecuteError::Unavailable(error.into())
            }
            Self::Vault(VaultError::Erased) => ExecuteError::Erased {
                aggregate_type: S::TYPE,
            },
            Self::Vault(error) => vault_error::<S>(error),
        }
    }
}

fn vault_error<S: Decide>(error: VaultError) -> ExecuteError<S::Refusal> {
    match error {
        VaultError::Database(_) => ExecuteError::Unavailable(error.into()),
        VaultError::Erased | VaultError::OtherMasterKey { .. } | VaultError::Damaged(_) => {
            corrupt::<S>(error)
        }
    }
}

fn corrupt<S: Decide>(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ExecuteError<S::Refusal> {
    ExecuteError::Corrupt {
        aggregate_type: S::TYPE,
        source: source.into(),
    }
}
