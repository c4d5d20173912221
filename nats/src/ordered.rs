//! Messages of the event stream as events, strictly one position after the other.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use fido_domain::{Position, Recorded};
use futures::StreamExt;

use crate::NatsError;

/// How many messages one pull asks for.
const PULL: usize = 500;
/// Silence for twice this long means that the consumer or the server is gone.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The order is broken, so reading has to begin anew.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The next message is not the next event.
    #[error("expected position {expected}, the stream brought {found}")]
    Hole { expected: Position, found: Position },
    /// The line, the consumer or the message is.
    #[error(transparent)]
    Line(NatsError),
}

/// A consumer that is read in order.
pub(crate) struct Ordered {
    messages: pull::Stream,
    position: Position,
}

impl Ordered {
    /// Reads from `consumer`, of which `position` has been seen.
    pub(crate) async fn read(
        consumer: &PullConsumer,
        position: Position,
    ) -> Result<Self, NatsError> {
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(NatsError::other("asking for events"))?;
        Ok(Self { messages, position })
    }

    /// The last position seen.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The next event; repeats are dropped.
    pub(crate) async fn next(&mut self) -> Result<(Recorded, Message), Broken> {
        loop {
            let message = match self.messages.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    return Err(Broken::Line(NatsError::other("receiving events")(error)));
                }
                None => {
                    return Err(Broken::Line(NatsError::other("receiving events")(
                        "the consumer ended",
                    )));
                }
            };
            let found = sequence(&message).map_err(Broken::Line)?;
            if found <= self.position {
                continue;
            }
            let expected = self.position + 1;
            if found != expected {
                return Err(Broken::Hole { expected, found });
            }
            let event = event(&message).map_err(Broken::Line)?;
            if event.position != found {
                return Err(Broken::Hole {
                    expected,
                    found: event.position,
                });
            }
            self.position = found;
            return Ok((event, message));
        }
    }
}

/// The sequence of the message in the event stream.
pub(crate) fn sequence(message: &Message) -> Result<Position, NatsError> {
    let info = message
        .info()
        .map_err(NatsError::other("reading a message's sequence"))?;
    Position::try_from(info.stream_sequence)
        .map_err(NatsError::other("reading a message's sequence"))
}

/// The event that the message carries.
pub(crate) fn event(message: &Message) -> Result<Recorded, NatsError> {
    serde_json::from_slice(&message.payload).map_err(NatsError::other("reading an event"))
}
