//! Telling workers that nobody wants a reply any more: core NATS, not kept. That it was cancelled is an
//! event; this only spares the rest of the writing.

use async_nats::Message;
use futures::{Stream, StreamExt};
use uuid::Uuid;

use crate::names::{STOPS, stop_subject, stopped};
use crate::{Nats, NatsError};

impl Nats {
    /// Tells whoever writes `reply` that it was cancelled.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn publish_stop(&self, reply: Uuid) -> Result<(), NatsError> {
        self.client
            .publish(stop_subject(reply), "".into())
            .await
            .map_err(NatsError::other("publishing a stop"))
    }

    /// Replies that are cancelled from now on.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn stops(
        &self,
    ) -> Result<impl Stream<Item = Uuid> + Send + Unpin + use<>, NatsError> {
        let messages = self
            .client
            .subscribe(STOPS)
            .await
            .map_err(NatsError::other("listening for stops"))?;
        let reply = |message: Message| std::future::ready(stopped(&message.subject));
        Ok(messages.filter_map(reply))
    }
}
