//! One batch of events, one transaction: rows, quarantine and checkpoint move together or not at all.

mod flow;
mod refusal;

use fido_domain::{Epochs, Position, Recorded};
use sqlx::{Connection, PgConnection};

use crate::rows::WriteError;
use crate::vocabulary::Knows;
use crate::{checkpoint, operation, quarantine};

pub(crate) use flow::{Condemned, Flow, Stream};

/// A batch that was not applied; the replica is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// An operator wants the replica to stay as it is.
    #[error("an operator has paused the projector")]
    Paused,
    /// The replica is not where it was: another projector has moved it, or it was replaced.
    #[error("the checkpoint is no longer at {expected}")]
    Fenced { expected: Position },
    /// The events do not follow the checkpoint.
    #[error("position {found} cannot follow {checkpoint}")]
    Hole {
        checkpoint: Position,
        found: Position,
    },
    /// The rows could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The database refused or was not there.
    #[error("the replica cannot be written")]
    Database(#[from] sqlx::Error),
}

/// An event of a type or version that the projector does not know. A newer build does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "event {position} is a {aggregate_type} event {event_type} version {event_version}, which this build does not know"
)]
pub(crate) struct Unknown {
    pub(crate) position: Position,
    aggregate_type: String,
    event_type: String,
    event_version: String,
}

impl Unknown {
    pub(crate) fn new(event: &Recorded) -> Self {
        Self {
            position: event.position,
            aggregate_type: event.aggregate_type.clone(),
            event_type: event.event_type.clone(),
            event_version: event.event_version.clone(),
        }
    }
}

/// How far a batch came.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The new checkpoint.
    pub(crate) position: Position,
    /// The event at which it stopped; the replica notes that it waits there.
    pub(crate) stopped: Option<Unknown>,
    /// Whether streams have come into quarantine, or the replica waits where it did not, or the other
    /// way round.
    pub(crate) health_changed: bool,
}

/// Applies `events` to the replica, which stands at `checkpoint` in the current of the log's
/// `epochs`. Events up to there are repeats and dropped. Where a gap of the log begins behind the last
/// event, it is passed too: nothing lies in it.
///
/// An event that cannot be applied is parked, and its stream with it; at one that is not known the
/// batch ends.
pub(crate) async fn apply(
    replica: &mut PgConnection,
    epochs: &Epochs,
    checkpoint: Position,
    events: &[Recorded],
    knows: Knows,
) -> Result<Applied, ApplyError> {
    let events = following(epochs, checkpoint, events)?;
    let known = events.iter().take_while(|event| knows(event)).count();
    let (events, unknown) = events.split_at(known);
    let batch = Batch {
        epochs,
        checkpoint,
        events,
        unknown: unknown.first().map(Unknown::new),
    };
    let error = match batch.write(replica, Care::Together).await {
        Err(ApplyError::Write(error)) => error,
        written => return written,
    };
    let reason = refusal::of(&error).ok_or(error)?;
    tracing::warn!(
        position = checkpoint,
        reason,
        "a batch was refused; applying what can be applied"
    );
    batch.write(replica, Care::Apart).await
}

/// The events behind `checkpoint`, which must follow it without a hole.
fn following<'a>(
    epochs: &Epochs,
    checkpoint: Position,
    events: &'a [Recorded],
) -> Result<&'a [Recorded], ApplyError> {
    let repeats = events
        .iter()
        .take_while(|event| event.position <= checkpoint)
        .count();
    let (_, events) = events.split_at(repeats);
    let mut position = checkpoint;
    for event in events {
        if event.position != epochs.after(position) {
            return Err(ApplyError::Hole {
                checkpoint: position,
                found: event.position,
            });
        }
        position = event.position;
    }
    Ok(events)
}

/// How the rows of a batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// All at once: any refusal refuses the batch.
    Together,
    /// So that the events that are refused are found.
    Apart,
}

struct Batch<'a> {
    epochs: &'a Epochs,
    checkpoint: Position,
    events: &'a [Recorded],
    unknown: Option<Unknown>,
}

impl Batch<'_> {
    async fn write(&self, replica: &mut PgConnection, care: Care) -> Result<Applied, ApplyError> {
        let mut transaction = replica.begin().await?;
        let held = operation::lock(&mut transaction).await?;
        let epoch = self.epochs.current().epoch;
        let fenced = ApplyError::Fenced {
            expected: self.checkpoint,
        };
        if held.position != self.checkpoint || held.epoch != Some(epoch) {
            return Err(fenced);
        }
        if held.paused {
            return Err(ApplyError::Paused);
        }
        let mut flow = Flow::new(quarantine::among(&mut transaction, self.events).await?);
        match care {
            Care::Together => flow.together(&mut transaction, self.events).await?,
            Care::Apart => flow.apart(&mut transaction, self.events).await?,
        }
        quarantine::park(&mut transaction, &flow).await?;
        let last = self
            .events
            .last()
            .map_or(self.checkpoint, |event| event.position);
        let position = self.epochs.through(last);
        if position != self.checkpoint
            && !checkpoint::advance(&mut transaction, epoch, self.checkpoint, position).await?
        {
            return Err(fenced);
        }
        let waits_at = self.unknown.as_ref().map(|unknown| unknown.position);
        if held.waits_at != waits_at {
            operation::wait_at(&mut transaction, self.unknown.as_ref()).await?;
        }
        transaction.commit().await?;
        for condemned in flow.condemned() {
            tracing::error!(
                event.position = condemned.position,
                stream.r#type = condemned.stream.aggregate_type,
                stream.id = %condemned.stream.aggregate_id,
                reason = condemned.reason,
                "an event cannot be applied: its stream is in quarantine until `fido replica retry`"
            );
        }
        Ok(Applied {
            position,
            stopped: self.unknown.clone(),
            health_changed: held.waits_at != waits_at || flow.condemned().next().is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use fido_domain::{Epoch, Epochs, Position, Recorded};
    use serde_json::value::RawValue;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{ApplyError, following};

    fn event(position: Position) -> Recorded {
        let empty = || RawValue::from_string("{}".to_owned()).unwrap();
        Recorded {
            position,
            aggregate_type: "plan".to_owned(),
            aggregate_id: Uuid::nil(),
            sequence: position,
            event_type: "plan_archived".to_owned(),
            event_version: "1".to_owned(),
            payload: empty(),
            metadata: empty(),
            recorded_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    /// 1 to 10, then from 21 on.
    fn forked() -> Epochs {
        let epoch = |epoch, forked_after, first_position| Epoch {
            log_id: Uuid::nil(),
            epoch,
            forked_after,
            first_position,
        };
        Epochs::try_new(vec![epoch(1, 0, 1), epoch(2, 10, 21)]).unwrap()
    }

    fn positions(checkpoint: Position, events: &[Position]) -> Result<Vec<Position>, ApplyError> {
        let events: Vec<Recorded> = events.iter().copied().map(event).collect();
        let followed = following(&forked(), checkpoint, &events)?;
        Ok(followed.iter().map(|event| event.position).collect())
    }

    #[test]
    fn repeats_are_dropped() {
        assert_eq!(positions(3, &[2, 3, 4, 5]).unwrap(), [4, 5]);
        assert_eq!(positions(3, &[1, 2, 3]).unwrap(), [0; 0]);
    }

    #[test]
    fn a_hole_is_refused_wherever_it_is() {
        for events in [&[5][..], &[4, 6], &[3, 5]] {
            assert!(
                matches!(positions(3, events), Err(ApplyError::Hole { .. })),
                "{events:?}"
            );
        }
    }

    #[test]
    fn only_the_declared_gap_is_passed() {
        assert_eq!(positions(9, &[10, 21, 22]).unwrap(), [10, 21, 22]);
        assert_eq!(positions(20, &[21]).unwrap(), [21]);
        assert!(matches!(positions(10, &[22]), Err(ApplyError::Hole { .. })));
    }
}
