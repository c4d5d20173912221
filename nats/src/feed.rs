//! The events for one replica's projector: a durable consumer, in order, in batches.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use fido_domain::{Position, Recorded};
use futures::FutureExt;

use crate::names::projector_consumer;
use crate::ordered::{Broken, Ordered};
use crate::{Nats, NatsError};

/// Events that go into one transaction of the replica at most.
const BATCH: usize = 1_000;
/// For how long the broker remembers a projector that does not come back. Nothing is lost with it.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a batch that has begun waits for more.
const GATHER: Duration = Duration::from_millis(20);

/// The feed cannot go on; read what is missing from the log, then open it anew.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Something is missing between the checkpoint and what the stream brings.
    #[error("expected position {expected}, the stream brought {found}")]
    Hole {
        /// The position that should have come.
        expected: Position,
        /// The one that came.
        found: Position,
    },
    /// The line broke.
    #[error(transparent)]
    Line(#[from] NatsError),
}

impl From<Broken> for FeedError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Hole { expected, found } => Self::Hole { expected, found },
            Broken::Line(error) => Self::Line(error),
        }
    }
}

/// Consecutive events, to be acknowledged when they are committed.
pub struct Batch {
    /// The events, in order.
    pub events: Vec<Recorded>,
    last: Message,
}

impl Batch {
    /// Tells the broker that everything up to the last event is safe. The checkpoint in the replica
    /// is what counts; this only lets the broker show the lag.
    pub async fn acknowledge(self) {
        if let Err(error) = self.last.ack().await {
            tracing::debug!(error = %error, "an acknowledgement was lost; the checkpoint counts");
        }
    }
}

/// The feed of one projector.
pub struct Feed {
    ordered: Ordered,
}

impl Feed {
    /// Events after `checkpoint` for the replica named `replica`, in `epoch` of the log.
    ///
    /// # Errors
    /// [`NatsError::NoStream`] and [`NatsError::OtherEpoch`] before the relay has made the stream, and
    /// what NATS says.
    pub async fn open(
        nats: &Nats,
        replica: &str,
        checkpoint: Position,
        epoch: i32,
    ) -> Result<Self, NatsError> {
        let name = projector_consumer(replica);
        let stream = nats.events_stream_in(epoch).await?;
        let consumer = stream
            .create_consumer(pull::Config {
                durable_name: Some(name.clone()),
                ack_policy: AckPolicy::All,
                ack_wait: Duration::from_secs(60),
                max_ack_pending: 20_000,
                deliver_policy: DeliverPolicy::All,
                inactive_threshold: REMEMBERED,
                ..pull::Config::default()
            })
            .await
            .map_err(NatsError::other("opening the projector's consumer"))?;
        let start =
            u64::try_from(checkpoint + 1).map_err(NatsError::other("choosing where to begin"))?;
        stream
            .reset_consumer(&name, Some(start))
            .await
            .map_err(NatsError::other("moving the projector's consumer"))?;
        Ok(Self {
            ordered: Ordered::read(&consumer, checkpoint).await?,
        })
    }

    /// At least one event, and those that follow at once: what the broker already has is waited for,
    /// a few milliseconds at most, what may come is not.
    ///
    /// # Errors
    /// [`FeedError`]; what was gathered until then is not lost, the checkpoint has not moved.
    pub async fn next_batch(&mut self) -> Result<Batch, FeedError> {
        let (event, mut last) = self.ordered.next().await?;
        let mut events = vec![event];
        let deadline = tokio::time::Instant::now() + GATHER;
        while events.len() < BATCH {
            let next = if has_more(&last) {
                let next = self.ordered.next();
                tokio::time::timeout_at(deadline, next).await.ok()
            } else {
                self.ordered.next().now_or_never()
            };
            let Some(next) = next else { break };
            let (event, message) = next?;
            events.push(event);
            last = message;
        }
        Ok(Batch { events, last })
    }
}

/// Whether the broker had more events when it sent this one.
fn has_more(message: &Message) -> bool {
    message.info().is_ok_and(|info| info.pending > 0)
}
