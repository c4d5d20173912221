//! Keeps what this process remembers of sessions in step with all others: tells what is revoked here,
//! hears what is revoked there, and lets the memory be believed only while it would hear.

use std::convert::Infallible;
use std::time::Duration;

use fido_commands::auth::{Auth, Revocation};
use fido_nats::revocations::Heard;
use fido_nats::{Nats, NatsError};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::problem::describe;

/// How long after a heartbeat was sent what came back is believed: the most by which a revocation
/// can be late when the line is dead and nobody has noticed yet.
const LEASE: Duration = Duration::from_millis(800);
/// The pause before listening again.
const PAUSE: Duration = Duration::from_millis(500);

/// Does so until `shutdown`.
pub(crate) async fn follow(auth: Auth, nats: Nats, shutdown: CancellationToken) {
    let forever = async {
        loop {
            let Err(error) = exchange(&auth, &nats).await;
            auth.distrust_memory();
            tracing::warn!(
                error = describe(&error),
                "revocations are not heard; every request asks the database for its session"
            );
            tokio::time::sleep(PAUSE).await;
        }
    };
    shutdown.run_until_cancelled(forever).await;
    auth.distrust_memory();
}

async fn exchange(auth: &Auth, nats: &Nats) -> Result<Infallible, NatsError> {
    let mut own = auth.revocations();
    let mut heard = nats.revocations().await?;
    loop {
        tokio::select! {
            revoked = own.recv() => tell(nats, revoked).await?,
            heard = heard.next() => match heard? {
                Heard::Revoked(revocation) => auth.heard(revocation),
                Heard::Alive(sent) => auth.trust_memory_until(sent + LEASE),
                Heard::Broken => auth.distrust_memory(),
            },
        }
    }
}

async fn tell(nats: &Nats, revoked: Result<Revocation, RecvError>) -> Result<(), NatsError> {
    match revoked {
        Ok(revocation) => nats.publish_revocation(revocation).await,
        Err(RecvError::Lagged(untold)) => {
            tracing::error!(untold, "some revocations were not told to other processes");
            Ok(())
        }
        // `auth` holds the other end.
        Err(RecvError::Closed) => std::future::pending().await,
    }
}
