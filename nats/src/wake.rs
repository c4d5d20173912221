//! Pings that save waiting: something was appended. They may be lost without harm.

use fido_domain::Position;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Nats;
use crate::names::APPENDED;

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
