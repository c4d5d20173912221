//! A replica that does not answer is taken out, and asked again and again, ever more seldom, until it
//! is back.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use fido_nats::backoff::Backoff;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;

/// After a sign of life it is asked, but not more often than this.
const AFTER_A_SIGN: Duration = Duration::from_millis(200);

impl Endpoint {
    /// It has failed somebody in a way that may mean that it is gone. It is taken out unless it
    /// answers when it is asked for that.
    pub(super) fn suspect(self: &Arc<Self>) {
        if self.is_suspected.swap(true, Ordering::AcqRel) {
            return;
        }
        let endpoint = Arc::clone(self);
        tokio::spawn(async move {
            let answer = endpoint.ask_apart().await;
            endpoint.is_suspected.store(false, Ordering::Release);
            if let Err(error) = answer {
                endpoint.is_gone(&error);
            }
        });
    }

    /// It is gone: nobody is sent there until it answers again.
    pub(super) fn is_gone(self: &Arc<Self>, error: &sqlx::Error) {
        if self.take_out() {
            tracing::warn!(
                replica.name = self.name(),
                error = %error,
                "a replica cannot be reached; queries go to others until it answers again"
            );
            // Ends with the last one who could be interested.
            tokio::spawn(until_it_answers(Arc::downgrade(self)));
        }
    }
}

async fn until_it_answers(endpoint: Weak<Endpoint>) {
    let (mut backoff, never) = (Backoff::default(), CancellationToken::new());
    while let Some(gone) = endpoint.upgrade() {
        if gone.ask_apart().await.is_ok() {
            gone.take_in();
            tracing::info!(replica.name = gone.name(), "the replica answers again");
            return;
        }
        let sign = gone.sign_of_life();
        drop(gone);
        let after_a_sign = async {
            sign.notified().await;
            tokio::time::sleep(AFTER_A_SIGN).await;
        };
        tokio::select! {
            () = backoff.wait(&never) => {}
            () = after_a_sign => {}
        }
    }
}

/// Whether `error` says that the server, or the line to it, is gone, and not just that it did not
/// like the query.
pub(super) fn is_the_line(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code());
    // Connection exceptions, and what a server says that is going down or coming up.
    let is_said = code.is_some_and(|code| code.starts_with("08") || code.starts_with("57P"));
    is_said
        || matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        )
}
