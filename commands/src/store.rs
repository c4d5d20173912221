//! The event store: load with postgres-es, decide through cqrs-es, append in one call, try again
//! when somebody else was faster.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cqrs_es::persist::PersistedEventRepository;
use cqrs_es::{AggregateContext, AggregateError, CqrsFramework, DomainEvent, EventEnvelope};
use fido_domain::recorded::{decode, encode};
use fido_domain::{Actor, Metadata, Position, Recorded};
use postgres_es::PostgresEventRepository;
use serde_json::value::RawValue;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use crate::ambient;
use crate::append::{self, Batch, Claim, Outcome};
use crate::decide::{Decide, Decider};

/// How often a command is decided afresh after another writer was faster.
///
/// Each conflict means that some other command succeeded, so this bounds unfairness, not progress.
const DECISIONS: u32 = 5;

/// Who asks, why, and what must be unique because of it.
#[derive(Debug, Clone)]
pub struct CommandContext {
    /// This command; asking again with the same id has no second effect.
    pub command_id: Uuid,
    /// Who acts.
    pub actor: Actor,
    /// Whose data the events will be.
    pub subject: Uuid,
    /// The request at the root of the chain.
    pub correlation_id: Uuid,
    /// The event that led to this command, if one did.
    pub causation_id: Option<Position>,
    /// The HTTP request, if one did.
    pub request_id: Option<String>,
    /// When it was issued.
    pub issued_at: OffsetDateTime,
    /// For model output: which model wrote it.
    pub model: Option<String>,
    /// Values to take or give back together with the events.
    pub claims: Vec<Claim>,
}

impl CommandContext {
    /// A command that begins a chain: `actor` acts on the data of `subject`, now.
    pub fn new(actor: Actor, subject: Uuid) -> Self {
        let command_id = ambient::new_id();
        Self {
            command_id,
            actor,
            subject,
            correlation_id: command_id,
            causation_id: None,
            request_id: None,
            issued_at: ambient::now(),
            model: None,
            claims: Vec::new(),
        }
    }

    /// A command that part `part` of Fido issues because of `cause`, for the same subject.
    pub fn because_of(cause: &Recorded, metadata: &Metadata, part: &str) -> Self {
        Self {
            correlation_id: metadata.correlation_id,
            causation_id: Some(cause.position),
            ..Self::new(Actor::system(part), metadata.subject)
        }
    }

    fn metadata(&self) -> Metadata {
        Metadata {
            actor: self.actor.clone(),
            subject: self.subject,
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            request_id: self.request_id.clone(),
            issued_at: self.issued_at,
            model: self.model.clone(),
            provider: None,
            prompt_hash: None,
        }
    }
}

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
    /// Other writers were faster five times in a row.
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
}

/// The event store of this process. Cheap to clone.
#[derive(Clone)]
pub struct EventStore {
    pool: PgPool,
    appended: Arc<watch::Sender<Position>>,
}

impl EventStore {
    /// A store on `pool`, which is connected as `fido_app`.
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            appended: Arc::new(watch::Sender::new(0)),
        }
    }

    /// The last position that this process has appended; whoever wakes the relay watches it.
    pub fn appended(&self) -> watch::Receiver<Position> {
        self.appended.subscribe()
    }

    /// The connections of the event store, for what stands beside the log (`auth`).
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Lets the stream `id` decide on `command` and records what follows.
    ///
    /// # Errors
    /// [`ExecuteError`]; whatever it is, nothing of the command is in the log.
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
        for _ in 0..DECISIONS {
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

#[derive(Debug, thiserror::Error)]
#[error("the {0} is taken")]
struct ClaimTaken(String);

/// One attempt at one command: what cqrs-es sees of the store.
struct UnitOfWork<'a, S: Decide> {
    store: &'a EventStore,
    context: &'a CommandContext,
    done: Arc<Mutex<Option<Committed<S::Event>>>>,
}

/// A stream as it was loaded.
struct Loaded<S: Decide> {
    id: Uuid,
    state: Decider<S>,
    sequence: i64,
}

impl<S: Decide> AggregateContext<Decider<S>> for Loaded<S> {
    fn aggregate(&mut self) -> &mut Decider<S> {
        &mut self.state
    }
}

type Failure<S> = AggregateError<<S as Decide>::Refusal>;

impl<S: Decide> cqrs_es::EventStore<Decider<S>> for UnitOfWork<'_, S> {
    type AC = Loaded<S>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<Decider<S>>>, Failure<S>> {
        let stored = PostgresEventRepository::new(self.store.pool.clone())
            .get_events::<Decider<S>>(aggregate_id)
            .await?;
        stored
            .into_iter()
            .map(|event| {
                let payload = decode(
                    &event.event_type,
                    &event.event_version,
                    &event.payload.to_string(),
                )
                .map_err(|error| AggregateError::DeserializationError(error.into()))?;
                Ok(EventEnvelope {
                    aggregate_id: event.aggregate_id,
                    sequence: event.sequence,
                    payload,
                    metadata: HashMap::new(),
                })
            })
            .collect()
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Loaded<S>, Failure<S>> {
        let id = aggregate_id
            .parse()
            .map_err(|error: uuid::Error| AggregateError::UnexpectedError(error.into()))?;
        let events = self.load_events(aggregate_id).await?;
        let sequence = events.last().map_or(0, |event| event.sequence);
        Ok(Loaded {
            id,
            state: Decider(S::fold(events.iter().map(|event| &event.payload))),
            sequence: i64::try_from(sequence).unwrap_or(i64::MAX),
        })
    }

    async fn commit(
        &self,
        events: Vec<S::Event>,
        loaded: Loaded<S>,
        _metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<Decider<S>>>, Failure<S>> {
        let committed = if events.is_empty() {
            Committed {
                events: Vec::new(),
                position: self.last_position(loaded.id).await?,
                sequence: loaded.sequence,
            }
        } else {
            self.append(events, &loaded).await?
        };
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(committed);
        // Nothing is dispatched in-process: projections read the log.
        Ok(Vec::new())
    }
}

impl<S: Decide> UnitOfWork<'_, S> {
    async fn append(
        &self,
        events: Vec<S::Event>,
        loaded: &Loaded<S>,
    ) -> Result<Committed<S::Event>, Failure<S>> {
        let metadata = canonical::<S>(&self.context.metadata())?;
        let mut payloads = Vec::with_capacity(events.len());
        for event in &events {
            payloads.push(canonical::<S>(&encode(event).map_err(unwritable::<S>)?)?);
        }
        let batch = Batch {
            command_id: self.context.command_id,
            aggregate_type: S::TYPE,
            aggregate_id: loaded.id,
            expected: loaded.sequence,
            subject: self.context.subject,
            event_types: events.iter().map(DomainEvent::event_type).collect(),
            event_versions: events.iter().map(DomainEvent::event_version).collect(),
            payloads,
            metadata,
            claims: &self.context.claims,
        };
        let outcome = append::append(&self.store.pool, &batch)
            .await
            .map_err(|error| AggregateError::DatabaseConnectionError(error.into()))?;
        match outcome {
            Outcome::Appended {
                first_position,
                recorded_at,
            } => self.committed(events, &batch, first_position, recorded_at),
            Outcome::Conflict => Err(AggregateError::AggregateConflict),
            Outcome::ClaimTaken { kind } => {
                Err(AggregateError::UnexpectedError(ClaimTaken(kind).into()))
            }
        }
    }

    fn committed(
        &self,
        events: Vec<S::Event>,
        batch: &Batch<'_>,
        first_position: Position,
        recorded_at: OffsetDateTime,
    ) -> Result<Committed<S::Event>, Failure<S>> {
        let mut recorded = Vec::with_capacity(events.len());
        for ((event, payload), n) in events.into_iter().zip(&batch.payloads).zip(0..) {
            let stored = Recorded {
                position: first_position + n,
                aggregate_type: S::TYPE.to_owned(),
                aggregate_id: batch.aggregate_id,
                sequence: batch.expected + 1 + n,
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload: RawValue::from_string(payload.clone()).map_err(unwritable::<S>)?,
                metadata: RawValue::from_string(batch.metadata.clone()).map_err(unwritable::<S>)?,
                recorded_at,
            };
            recorded.push((event, stored));
        }
        let count = i64::try_from(recorded.len()).unwrap_or(i64::MAX);
        let position = first_position + count - 1;
        self.store
            .appended
            .send_if_modified(|last| position > std::mem::replace(last, position.max(*last)));
        Ok(Committed {
            events: recorded,
            position,
            sequence: batch.expected + count,
        })
    }

    async fn last_position(&self, id: Uuid) -> Result<Position, Failure<S>> {
        let position: Option<Position> = sqlx::query_scalar(
            "select last_position from streams where aggregate_type = $1 and aggregate_id = $2",
        )
        .bind(S::TYPE)
        .bind(id.to_string())
        .fetch_optional(&self.store.pool)
        .await
        .map_err(|error| AggregateError::DatabaseConnectionError(error.into()))?;
        Ok(position.unwrap_or(0))
    }
}

/// Canonical JSON (RFC 8785): the bytes that are stored and hashed.
fn canonical<S: Decide>(value: &impl serde::Serialize) -> Result<String, Failure<S>> {
    serde_json_canonicalizer::to_string(value).map_err(unwritable::<S>)
}

fn unwritable<S: Decide>(error: serde_json::Error) -> Failure<S> {
    AggregateError::DeserializationError(error.into())
}
