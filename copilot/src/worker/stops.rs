//! Replies that nobody wants any more: whoever writes one hears of it and lays the pen down.

use fido_nats::Nats;
use fido_nats::backoff::Backoff;
use futures::StreamExt;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Stops that may wait for a writer that is busy; one that misses some writes on, in vain.
const WAITING: usize = 1024;

/// What is heard, for all who write in this process.
pub(super) struct Stops(broadcast::Sender<Uuid>);

impl Stops {
    pub(super) fn new() -> Self {
        Self(broadcast::channel(WAITING).0)
    }

    /// Comes to an end when `reply_id` is cancelled, from this call on.
    pub(super) fn of(&self, reply_id: Uuid) -> impl Future<Output = ()> + Send + use<> {
        let mut heard = self.0.subscribe();
        async move {
            loop {
                match heard.recv().await {
                    Ok(stopped) if stopped == reply_id => return,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return std::future::pending().await,
                }
            }
        }
    }

    /// Listens until `shutdown`.
    pub(super) async fn listen(&self, nats: &Nats, shutdown: &CancellationToken) {
        let mut backoff = Backoff::default();
        while !shutdown.is_cancelled() {
            match nats.stops().await {
                Ok(mut stops) => {
                    while let Some(reply_id) = stops.next().await {
                        // Nobody writes here: then it is somebody else's.
                        let _ = self.0.send(reply_id);
                    }
                }
                Err(error) => tracing::warn!(error = %error, "stops cannot be heard"),
            }
            backoff.wait(shutdown).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn only_the_reply_that_was_cancelled_is_stopped() {
        let stops = Stops::new();
        let (mine, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut stopped = Box::pin(stops.of(mine));
        stops.0.send(other).unwrap();
        assert_eq!((&mut stopped).now_or_never(), None);
        stops.0.send(mine).unwrap();
        assert_eq!((&mut stopped).now_or_never(), Some(()));
    }
}
