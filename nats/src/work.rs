//! The work queue of the co-pilots: requests for replies, each given to one worker at a time and
//! given again when that worker falls silent.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::{AckKind, Message};
use fido_domain::{Position, Recorded};
use futures::StreamExt;

use crate::names::{COPILOT_CONSUMER, REPLY_REQUESTS};
use crate::ordered::event;
use crate::stream::Carried;
use crate::{Nats, NatsError};

/// A worker that has been silent for this long has lost its work.
const SILENCE: Duration = Duration::from_secs(10);
/// How often a worker must say that it is still at it.
pub const PROGRESS_EVERY: Duration = Duration::from_secs(3);
/// How long one question for work stays open.
const ASK: Duration = Duration::from_secs(5);

/// A request for a reply, in the hands of this worker.
pub struct WorkItem {
    /// The `reply_requested` event.
    pub request: Recorded,
    message: Message,
}

impl WorkItem {
    /// Says that the work goes on, so that nobody else is given it.
    pub async fn progress(&self) {
        self.acknowledge(AckKind::Progress).await;
    }

    /// Says that the outcome is an event now.
    pub async fn done(&self) {
        // Confirmed by the server: an acknowledgement that gets lost brings the work back.
        if let Err(error) = self.message.double_ack().await {
            tracing::debug!(error = %error, "an acknowledgement was lost; the request comes again");
        }
    }

    /// Gives the work back, to be given to somebody in a while.
    pub async fn give_back(&self, after: Duration) {
        self.acknowledge(AckKind::Nak(Some(after))).await;
    }

    async fn acknowledge(&self, kind: AckKind) {
        if let Err(error) = self.message.ack_with(kind).await {
            tracing::debug!(error = %error, "an acknowledgement was lost; the request comes again");
        }
    }
}

/// The queue.
pub struct WorkQueue {
    consumer: PullConsumer,
    begins: Position,
}

impl WorkQueue {
    /// Joins the workers.
    ///
    /// # Errors
    /// [`NatsError::NoStream`] before the relay has made the stream, and what NATS says.
    pub async fn join(nats: &Nats) -> Result<Self, NatsError> {
        let stream = nats.events_stream().await?;
        let begins = Carried::by(stream.cached_info())?.first;
        let consumer = stream
            .create_consumer(pull::Config {
                durable_name: Some(COPILOT_CONSUMER.to_owned()),
                filter_subject: REPLY_REQUESTS.to_owned(),
                ack_policy: AckPolicy::Explicit,
                ack_wait: SILENCE,
                max_deliver: -1,
                max_ack_pending: 10_000,
                deliver_policy: DeliverPolicy::All,
                ..pull::Config::default()
            })
            .await
            .map_err(NatsError::other("joining the co-pilot workers"))?;
        Ok(Self { consumer, begins })
    }

    /// Requests before this position the queue does not bring: the stream no longer held them when it
    /// was joined.
    pub fn begins(&self) -> Position {
        self.begins
    }

    /// The next request, or nothing for a while.
    ///
    /// # Errors
    /// What NATS says; then join again.
    pub async fn next(&self) -> Result<Option<WorkItem>, NatsError> {
        let mut one = self
            .consumer
            .batch()
            .max_messages(1)
            .expires(ASK)
            .messages()
            .await
            .map_err(NatsError::other("asking for work"))?;
        let Some(message) = one.next().await else {
            return Ok(None);
        };
        let message = message.map_err(|source| NatsError::Other {
            doing: "asking for work",
            source,
        })?;
        let request = event(&message)?;
        Ok(Some(WorkItem { request, message }))
    }
}
