//! One attempt at one command: what cqrs-es sees of the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{AggregateContext, AggregateError, DomainEvent, EventEnvelope};
use fido_domain::Position;
use fido_domain::recorded::{decode_value, encode};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::cache::Known;
use super::{CommandContext, Committed, EventStore, Placed};
use crate::append::{AppendError, NewEvent, Outcome, Submission};
use crate::decide::{Decide, Decider};
use crate::vault::{StreamId, VaultError, seal};

/// What cqrs-es has no word for, on its way through it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Aside {
    /// Another stream holds the claim of this kind.
    #[error("the {0} is taken")]
    ClaimTaken(String),
    /// The request was done before.
    #[error("the request was done before")]
    ReceiptExists,
    /// The stream is not where whoever asks has seen it.
    #[error("the stream is at {current}")]
    Stale { current: i64 },
    /// The store did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Its content could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// One attempt at one command.
pub(super) struct UnitOfWork<'a, S: Decide> {
    pub(super) store: &'a EventStore,
    pub(super) context: &'a CommandContext,
    /// Whether others have been at the stream since it was last loaded here.
    pub(super) overtaken: bool,
    pub(super) attempt: Arc<Mutex<Attempt<S::Event>>>,
}

/// What is known of the attempt from outside.
pub(super) struct Attempt<E> {
    pub(super) committed: Option<Committed<E>>,
    /// The sequence of the stream as it was remembered; none when it was loaded.
    pub(super) remembered: Option<i64>,
}

impl<E> Default for Attempt<E> {
    fn default() -> Self {
        Self {
            committed: None,
            remembered: None,
        }
    }
}

/// A stream as it was loaded.
pub(super) struct Loaded<S: Decide> {
    id: Uuid,
    state: Decider<S>,
    sequence: i64,
    position: Option<Position>,
    epoch: i32,
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
        self.events_after(aggregate_id, 0).await
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Loaded<S>, Failure<S>> {
        let id = aggregate_id
            .parse()
            .map_err(|error: uuid::Error| AggregateError::UnexpectedError(error.into()))?;
        let known = self.known(id, aggregate_id).await?;
        Ok(Loaded {
            id,
            state: Decider(known.state),
            sequence: known.sequence,
            position: known.position,
            epoch: known.epoch,
        })
    }

    async fn commit(
        &self,
        events: Vec<S::Event>,
        loaded: Loaded<S>,
        _metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<Decider<S>>>, Failure<S>> {
        if !events.is_empty() {
            self.stands_where_expected(&loaded).await?;
        }
        let committed = if events.is_empty() && self.context.receipt.is_none() {
            let (sequence, position) = self.store.stream_end::<S>(loaded.id).await?;
            if sequence != loaded.sequence {
                return Err(AggregateError::AggregateConflict);
            }
            self.keep(loaded, position);
            Committed::nothing(position)
        } else {
            self.append(events, loaded).await?
        };
        self.attempt().committed = Some(committed);
        // Nothing is dispatched in-process: projections read the log.
        Ok(Vec::new())
    }
}

impl<S: Decide> UnitOfWork<'_, S> {
    /// The stream's state: from memory, with what was added since when others were at it, or loaded.
    async fn known(&self, id: Uuid, text: &str) -> Result<Known<S>, Failure<S>> {
        let epoch = self.store.epoch().await?;
        let kept = self.store.states.get::<S>(id);
        if let Some(kept) = kept.filter(|kept| kept.epoch == epoch) {
            if !self.overtaken {
                self.attempt().remembered = Some(kept.sequence);
                return Ok(Known::clone(&kept));
            }
            let added = self.events_after(text, kept.sequence).await?;
            // Overtaken, and nothing was added: then the state is of no stream that there is.
            if !added.is_empty() {
                return Ok(extended(Known::clone(&kept), &added, epoch));
            }
        }
        let nothing = Known {
            state: S::default(),
            sequence: 0,
            position: None,
            epoch,
        };
        Ok(extended(nothing, &self.events_after(text, 0).await?, epoch))
    }

    /// Whether the stream is where whoever asks has seen it. What follows is appended behind `loaded`
    /// or not at all, so nobody gets in between; what is only remembered may be behind, though.
    async fn stands_where_expected(&self, loaded: &Loaded<S>) -> Result<(), Failure<S>> {
        let current = loaded.sequence;
        if self.context.expected.is_none_or(|seen| seen == current) {
            return Ok(());
        }
        if self.store.stream_end::<S>(loaded.id).await?.0 != current {
            return Err(AggregateError::AggregateConflict);
        }
        Err(aside::<S>(Aside::Stale { current }))
    }

    async fn events_after(
        &self,
        aggregate_id: &str,
        sequence: i64,
    ) -> Result<Vec<EventEnvelope<Decider<S>>>, Failure<S>> {
        let repository = self.store.repository();
        let stored = match usize::try_from(sequence) {
            Ok(0) | Err(_) => repository.get_events::<Decider<S>>(aggregate_id).await?,
            Ok(after) => {
                repository
                    .get_last_events::<Decider<S>>(aggregate_id, after)
                    .await?
            }
        };
        stored.into_iter().map(envelope).collect()
    }

    async fn append(
        &self,
        events: Vec<S::Event>,
        loaded: Loaded<S>,
    ) -> Result<Committed<S::Event>, Failure<S>> {
        let submission = self.submission(&events, &loaded).await?;
        let outcome = self.store.appender.append(submission).await;
        match outcome.map_err(aside::<S>)? {
            Outcome::Appended {
                first_position,
                recorded_at,
            } => Ok(self.committed(events, loaded, first_position, recorded_at)),
            Outcome::Conflict => Err(AggregateError::AggregateConflict),
            Outcome::ClaimTaken { kind } => Err(aside::<S>(Aside::ClaimTaken(kind))),
            Outcome::ReceiptExists => Err(aside::<S>(Aside::ReceiptExists)),
        }
    }

    /// The command as it will be stored: canonical JSON, private fields sealed.
    async fn submission(
        &self,
        events: &[S::Event],
        loaded: &Loaded<S>,
    ) -> Result<Submission, Failure<S>> {
        let mut payloads = Vec::with_capacity(events.len());
        for event in events {
            payloads.push(encode(event).map_err(unwritable::<S>)?);
        }
        let mut metadata =
            serde_json::to_value(self.context.metadata()).map_err(unwritable::<S>)?;
        let stream = StreamId::new(S::TYPE, loaded.id);
        // A command without events stores nothing but its receipt.
        let private = seal::has_open(&metadata) || payloads.iter().any(seal::has_open);
        let key = if private && !events.is_empty() {
            let (vault, subject) = (&self.store.vault, self.context.subject);
            let key = vault.key_for(&stream, subject, loaded.sequence == 0).await;
            Some(key.map_err(aside::<S>)?)
        } else {
            None
        };
        let sealed = |value: &mut Value, path: &str| -> Result<String, Failure<S>> {
            seal::seal(value, path, &stream, key.as_ref()).map_err(unwritable::<S>)?;
            serde_json_canonicalizer::to_string(value).map_err(unwritable::<S>)
        };
        let mut written = Vec::with_capacity(events.len());
        for (event, payload) in events.iter().zip(&mut payloads) {
            let event_type = event.event_type();
            written.push(NewEvent {
                payload: sealed(payload, &event_type)?,
                event_version: event.event_version(),
                event_type,
            });
        }
        Ok(Submission {
            command_id: self.context.command_id,
            aggregate_type: S::TYPE,
            aggregate_id: loaded.id.to_string(),
            epoch: loaded.epoch,
            expected: loaded.sequence,
            subject: self.context.subject,
            events: written,
            metadata: if events.is_empty() {
                String::new()
            } else {
                sealed(&mut metadata, "metadata")?
            },
            claims: self.context.claims.clone(),
            receipt: self.context.receipt.clone(),
        })
    }

    fn committed(
        &self,
        events: Vec<S::Event>,
        loaded: Loaded<S>,
        first_position: Position,
        recorded_at: OffsetDateTime,
    ) -> Committed<S::Event> {
        let (id, before) = (loaded.id, loaded.sequence);
        let events: Vec<_> = events
            .into_iter()
            .zip(0..)
            .map(|(event, n)| {
                let placed = Placed {
                    position: first_position + n,
                    aggregate_id: id,
                    sequence: before + 1 + n,
                    recorded_at,
                };
                (event, placed)
            })
            .collect();
        let Some((_, last)) = events.last() else {
            // Only its receipt was stored. Where the stream's position is not remembered, the log's
            // end of that moment serves: a reader that has reached it has the whole stream.
            return Committed::nothing(loaded.position.unwrap_or(first_position - 1));
        };
        let position = last.position;
        let after = Loaded {
            sequence: last.sequence,
            ..loaded
        };
        self.keep(after, position);
        Committed {
            events,
            position,
            replayed: false,
        }
    }

    fn keep(&self, loaded: Loaded<S>, position: Position) {
        let known = Known {
            state: loaded.state.0,
            sequence: loaded.sequence,
            position: Some(position),
            epoch: loaded.epoch,
        };
        self.store.states.keep(loaded.id, known);
    }

    fn attempt(&self) -> MutexGuard<'_, Attempt<S::Event>> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn extended<S: Decide>(
    mut known: Known<S>,
    added: &[EventEnvelope<Decider<S>>],
    epoch: i32,
) -> Known<S> {
    for event in added {
        known.state.evolve(&event.payload);
        known.sequence = i64::try_from(event.sequence).unwrap_or(i64::MAX);
        known.position = None;
    }
    known.epoch = epoch;
    known
}

/// A stored event, read. What is wrong with one that cannot be read is not repeated: it may be content.
fn envelope<S: Decide>(stored: SerializedEvent) -> Result<EventEnvelope<Decider<S>>, Failure<S>> {
    let (event_type, event_version) = (&stored.event_type, &stored.event_version);
    let event = decode_value(event_type, event_version, stored.payload).map_err(|_| {
        let unreadable = format!(
            "event {} ({event_type} version {event_version}) cannot be read by this build",
            stored.sequence
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

fn aside<S: Decide>(aside: impl Into<Aside>) -> Failure<S> {
    AggregateError::UnexpectedError(aside.into().into())
}

fn unwritable<S: Decide>(error: impl std::error::Error + Send + Sync + 'static) -> Failure<S> {
    AggregateError::DeserializationError(error.into())
}
