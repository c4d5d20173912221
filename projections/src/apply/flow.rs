//! Which events flow into the rows and which are held back: those of a stream from the one on that
//! cannot be applied.

use std::collections::HashMap;

use fido_domain::{Position, Recorded};
use sqlx::{Acquire, PgConnection};
use uuid::Uuid;

use super::refusal;
use crate::rows::WriteError;

/// A stream of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stream {
    pub(crate) aggregate_type: String,
    pub(crate) aggregate_id: Uuid,
}

impl Stream {
    pub(crate) fn of(event: &Recorded) -> Self {
        Self {
            aggregate_type: event.aggregate_type.clone(),
            aggregate_id: event.aggregate_id,
        }
    }
}

/// A stream that is held back from now on.
#[derive(Debug, Clone)]
pub(crate) struct Condemned {
    pub(crate) stream: Stream,
    /// The event that cannot be applied.
    pub(crate) position: Position,
    pub(crate) reason: String,
}

/// Events on their way into the rows.
pub(crate) struct Flow<'a> {
    /// From which position on a stream is held back.
    held: HashMap<Stream, Position>,
    condemned: HashMap<Position, Condemned>,
    parked: Vec<&'a Recorded>,
}

impl<'a> Flow<'a> {
    /// A flow in which the streams of `held` are held back from a position on.
    pub(crate) fn new(held: HashMap<Stream, Position>) -> Self {
        Self {
            held,
            condemned: HashMap::new(),
            parked: Vec::new(),
        }
    }

    /// Writes what flows; the first refusal is an error.
    pub(crate) async fn together(
        &mut self,
        replica: &mut PgConnection,
        events: &'a [Recorded],
    ) -> Result<(), WriteError> {
        let (held, flowing) = self.part(events);
        write(replica, events, &flowing).await?;
        self.parked.extend(held);
        Ok(())
    }

    /// Writes what can be written. A refused range is halved until the event that is refused stands
    /// alone; its stream is held back from there on. What could not be written for another reason is
    /// an error.
    pub(crate) async fn apart(
        &mut self,
        replica: &mut PgConnection,
        events: &'a [Recorded],
    ) -> Result<(), WriteError> {
        let mut ranges = vec![events];
        while let Some(range) = ranges.pop() {
            let (held, flowing) = self.part(range);
            let mut attempt = replica.begin().await?;
            let refusal = match write(&mut attempt, range, &flowing).await {
                Ok(()) => None,
                Err(error) => Some(refusal::of(&error).ok_or(error)?),
            };
            match (refusal, flowing.as_slice()) {
                (None, _) => attempt.commit().await?,
                (Some(reason), &[event]) => {
                    attempt.rollback().await?;
                    self.condemn(event, reason);
                    self.parked.push(event);
                }
                (Some(_), _) => {
                    attempt.rollback().await?;
                    let (first, second) = range.split_at(range.len() / 2);
                    ranges.extend([second, first]);
                    continue;
                }
            }
            self.parked.extend(held);
        }
        Ok(())
    }

    /// Holds the stream of `event` back, from it on.
    pub(crate) fn condemn(&mut self, event: &Recorded, reason: String) {
        let (stream, position) = (Stream::of(event), event.position);
        if let Some(later) = self.held.insert(stream.clone(), position) {
            self.condemned.remove(&later);
        }
        let condemned = Condemned {
            stream,
            position,
            reason,
        };
        self.condemned.insert(position, condemned);
    }

    /// Whether `event` is held back.
    pub(crate) fn holds(&self, event: &Recorded) -> bool {
        let from = self.held.get(&Stream::of(event));
        from.is_some_and(|&from| event.position >= from)
    }

    /// The streams that this flow has begun to hold back.
    pub(crate) fn condemned(&self) -> impl Iterator<Item = &Condemned> {
        self.condemned.values()
    }

    /// What was not written: the event, the one because of which, and why if that is the same.
    pub(crate) fn parked(&self) -> impl Iterator<Item = (&'a Recorded, Position, Option<&str>)> {
        self.parked.iter().map(|&event| {
            let culprit = self.held.get(&Stream::of(event)).copied();
            let condemned = self.condemned.get(&event.position);
            (
                event,
                culprit.unwrap_or(event.position),
                condemned.map(|condemned| condemned.reason.as_str()),
            )
        })
    }

    /// From which position on each stream is held back.
    pub(crate) fn into_held(self) -> HashMap<Stream, Position> {
        self.held
    }

    /// Those that are held back, and the others.
    fn part(&self, events: &'a [Recorded]) -> (Vec<&'a Recorded>, Vec<&'a Recorded>) {
        if self.held.is_empty() {
            return (Vec::new(), events.iter().collect());
        }
        events.iter().partition(|event| self.holds(event))
    }
}

/// Writes the rows of `flowing`, which are all or some of `range`.
async fn write(
    replica: &mut PgConnection,
    range: &[Recorded],
    flowing: &[&Recorded],
) -> Result<(), WriteError> {
    if flowing.is_empty() {
        return Ok(());
    }
    if flowing.len() == range.len() {
        return refusal::caught(crate::rows::write(replica, range)).await;
    }
    let flowing: Vec<Recorded> = flowing.iter().copied().cloned().collect();
    refusal::caught(crate::rows::write(replica, &flowing)).await
}
