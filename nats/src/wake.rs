//! Pings that save waiting: something was appended; a replica has reached a position. Either may
//! be lost without harm.

use fido_domain::Position;
use futures::{Stream, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::names::{APPENDED, REPLICAS, replica_subject};
use crate::{Nats, NatsError};

/// Tells relays whenever this process has appended, until `shutdown`.
pub async fn announce_appends(
    nats: Nats,
    mut appended: watch::Receiver<Position>,
    shutdown: CancellationToken,
) {
    loop {
        let changed = tokio::select! {
            () = shutdown.cancelled() => return,
            changed = appended.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        let position = appended.borrow_and_update().to_string();
        if let Err(error) = nats.client.publish(APPENDED, position.into()).await {
            tracing::debug!(error = %error, "a wake was lost; the relay looks by itself");
        }
    }
}

impl Nats {
    /// Tells readers that `replica` has reached `position`.
    pub async fn announce_replica(&self, replica: &str, position: Position) {
        let published = self
            .client
            .publish(replica_subject(replica), position.to_string().into())
            .await;
        if let Err(error) = published {
            tracing::debug!(error = %error, "a replica's position was not announced");
        }
    }

    /// Positions that replicas reach from now on, with the replica's name.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn replica_positions(
        &self,
    ) -> Result<impl Stream<Item = (String, Position)> + Send + Unpin + use<>, NatsError> {
        let messages = self
            .client
            .subscribe(REPLICAS)
            .await
            .map_err(NatsError::other("listening for replicas"))?;
        Ok(Box::pin(messages.filter_map(|message| async move {
            let (_, replica) = message.subject.rsplit_once('.')?;
            let position = std::str::from_utf8(&message.payload).ok()?.parse().ok()?;
            Some((replica.to_owned(), position))
        })))
    }
}
