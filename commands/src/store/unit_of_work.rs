//! One attempt at one command: what cqrs-es sees of the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{AggregateContext, AggregateError, DomainEvent, EventEnvelope};
use fido_domain::recorded::{decode, encode};
use fido_domain::{Position, Recorded};
use postgres_es::PostgresEventRepository;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CommandContext, Committed, EventStore};
use crate::append::{self, Batch, Outcome};
use crate::decide::{Decide, Decider};

#[derive(Debug, thiserror::Error)]
#[error("the {0} is taken")]
pub(super) struct ClaimTaken(pub(super) String);

/// One attempt at one command: what cqrs-es sees of the store.
pub(super) struct UnitOfWork<'a, S: Decide> {
    pub(super) store: &'a EventStore,
    pub(super) context: &'a CommandContext,
    pub(super) done: Arc<Mutex<Option<Committed<S::Event>>>>,
}

/// A stream as it was loaded.
pub(super) struct Loaded<S: Decide> {
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
        stored.into_iter().map(envelope).collect()
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
        self.store.witness(position);
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

/// A stored event, read. What is wrong with one that cannot be read is not repeated: it may be content.
fn envelope<S: Decide>(stored: SerializedEvent) -> Result<EventEnvelope<Decider<S>>, Failure<S>> {
    let payload = stored.payload.to_string();
    let event = decode(&stored.event_type, &stored.event_version, &payload).map_err(|_| {
        let unreadable = format!(
            "event {} ({} version {}) cannot be read by this build",
            stored.sequence, stored.event_type, stored.event_version
        );
        AggregateError::DeserializationError(unreadable.into())
    })?;
    Ok(EventEnvelope {
        aggregate_id: stored.aggregate_id,
        sequence: stored.sequence,
        payload: event,
        metadata: HashMap::new(),
    })
}

/// Canonical JSON (RFC 8785): the bytes that are stored and hashed.
fn canonical<S: Decide>(value: &impl serde::Serialize) -> Result<String, Failure<S>> {
    serde_json_canonicalizer::to_string(value).map_err(unwritable::<S>)
}

fn unwritable<S: Decide>(error: serde_json::Error) -> Failure<S> {
    AggregateError::DeserializationError(error.into())
}
