//! What the broker says about the event stream, for operators.

use fido_domain::Position;
use serde::Serialize;
use uuid::Uuid;

use crate::names::COPILOT_CONSUMER;
use crate::stream::Carried;
use crate::{Nats, NatsError};

/// The event stream as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct StreamStatus {
    /// The log that it carries.
    pub log_id: Uuid,
    /// The epoch of the log that it was made in.
    pub epoch: i32,
    /// The oldest position it still holds.
    pub first: Position,
    /// The last position it holds.
    pub last: Position,
    /// What it takes on disk.
    pub bytes: u64,
    /// Requests for replies that no worker has taken yet.
    pub replies_waiting: u64,
    /// Requests for replies that a worker is at.
    pub replies_in_work: u64,
}

impl Nats {
    /// How the event stream and the work queue stand.
    ///
    /// # Errors
    /// [`NatsError::NoStream`] before the relay has made the stream, and what NATS says.
    pub async fn status(&self) -> Result<StreamStatus, NatsError> {
        let stream = self.events_stream().await?;
        let carried = Carried::by(stream.cached_info())?;
        let work = stream.consumer_info(COPILOT_CONSUMER).await.ok();
        Ok(StreamStatus {
            log_id: carried.log_id,
            epoch: carried.epoch,
            first: carried.first,
            last: carried.last,
            bytes: stream.cached_info().state.bytes,
            replies_waiting: work.as_ref().map_or(0, |work| work.num_pending),
            replies_in_work: work.as_ref().map_or(0, |work| work.num_ack_pending as u64),
        })
    }
}
