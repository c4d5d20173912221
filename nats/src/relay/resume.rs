//! Where to go on, as the stream says; the stream is made where there is none, or anew where it
//! belongs to an earlier epoch of the log.

use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use fido_commands::log::Log;
use fido_domain::epochs::Standing;
use fido_domain::{Epochs, Position, Recorded};

use super::RelayError;
use crate::stream::{self, Carried};
use crate::{Nats, NatsError};

/// Events that a stream which is made anew begins with at most. Whoever needs older ones reads them
/// from PostgreSQL, and new ones need not wait until the whole log has been published again.
const HISTORY: Position = 100_000;

/// Sees to it that the stream carries the log in its current epoch; answers with the last position
/// that it carries.
pub(super) async fn position(
    log: &Log,
    nats: &Nats,
    epochs: &Epochs,
) -> Result<Position, RelayError> {
    let epoch = epochs.current();
    let found = match nats.events_stream().await {
        Err(NatsError::NoStream) => return make(log, nats, epochs).await,
        found => found?,
    };
    let carried = Carried::by(found.cached_info())?;
    if carried.log_id != epoch.log_id {
        return Err(RelayError::Nats(NatsError::OtherLog {
            found: carried.log_id,
            wanted: epoch.log_id,
        }));
    }
    match epochs.standing(carried.epoch, carried.last, log.head().await?)? {
        Standing::Current => {
            stream::check(found.cached_info(), epoch)?;
            is_of_this_log(log, &found, carried.last).await?;
            Ok(carried.last)
        }
        // A stream has no gap, so it cannot go on beyond one.
        Standing::Earlier | Standing::Lost => {
            tracing::warn!(
                position = carried.last,
                stream.epoch = carried.epoch,
                epoch = epoch.epoch,
                "the event stream is of an earlier epoch; making it anew"
            );
            nats.delete_events_stream().await?;
            make(log, nats, epochs).await
        }
    }
}

async fn make(log: &Log, nats: &Nats, epochs: &Epochs) -> Result<Position, RelayError> {
    let epoch = epochs.current();
    let first = begins(epoch.first_position, log.head().await?);
    Ok(nats.make_events_stream(epoch, first).await?.last)
}

/// Where a stream begins that is made for an epoch that begins at `epoch`, while the log is at `head`.
fn begins(epoch: Position, head: Position) -> Position {
    epoch.max(head - HISTORY + 1)
}

/// Whether the last message of the stream is the event that the log has there. When the log has lost
/// its tail and gone on since, the numbers alone do not show it.
async fn is_of_this_log(log: &Log, stream: &Stream, last: Position) -> Result<(), RelayError> {
    if stream.cached_info().state.messages == 0 {
        return Ok(());
    }
    let looking = "reading the last message of the event stream";
    let sequence = u64::try_from(last).map_err(NatsError::other(looking))?;
    let message = match stream.get_raw_message(sequence).await {
        Ok(message) => message,
        // Too old since a moment ago.
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(()),
        Err(error) => return Err(RelayError::Nats(NatsError::other(looking)(error))),
    };
    let carried: Option<Recorded> = serde_json::from_slice(&message.payload).ok();
    let recorded = log.after(last - 1, 1).await?;
    match (carried, recorded.first()) {
        (Some(carried), Some(recorded)) if is_same(&carried, recorded) => Ok(()),
        _ => Err(RelayError::Other(last)),
    }
}

fn is_same(one: &Recorded, other: &Recorded) -> bool {
    one.position == other.position
        && one.aggregate_id == other.aggregate_id
        && one.sequence == other.sequence
        && one.event_type == other.event_type
        && one.payload.get() == other.payload.get()
        && one.metadata.get() == other.metadata.get()
}

#[cfg(test)]
mod tests {
    use super::{HISTORY, begins};

    #[test]
    fn a_stream_begins_with_its_epoch_or_a_bounded_history() {
        assert_eq!(begins(1, 0), 1);
        assert_eq!(begins(1, HISTORY), 1);
        assert_eq!(begins(1, HISTORY + 1), 2);
        assert_eq!(begins(40_000_002, 40_000_001), 40_000_002, "a new epoch");
        assert_eq!(begins(40_000_002, 40_500_000), 40_400_001);
    }
}
