//! The relay: reads the log by position and publishes it to the event stream, each event under its
//! own position. It remembers nothing; where to go on, the stream itself knows.

mod batch;
mod follow;
mod lag;
mod pages;
mod progress;
mod resume;
mod session;
mod status;

use std::time::Duration;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use fido_commands::log::{Log, LogError};
use fido_domain::Position;
use fido_domain::epochs::Diverged;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::{Nats, NatsError, line};
use progress::Progress;
pub use status::{Activity, RelayStatus};

/// How long the log may have grown before the relay looks by itself.
const POLL: Duration = Duration::from_millis(100);

/// Why the relay had to begin anew.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error("event {position} cannot be published")]
    Send {
        position: Position,
        #[source]
        source: async_nats::Error,
    },
    #[error("the batch up to position {position} was refused")]
    Refused {
        position: Position,
        #[source]
        source: PublishError,
    },
    #[error("NATS took no more within {} s", batch::PATIENCE.as_secs())]
    Stuck,
    #[error("published position {position} as sequence {sequence}")]
    Misplaced { position: Position, sequence: u64 },
    #[error("the connection to NATS broke")]
    Broken,
    #[error("the event stream ends at {found}, although {published} was acknowledged")]
    LostTail {
        found: Position,
        published: Position,
    },
    #[error(
        "the event stream carries another event at position {0} than the log does: \
         the log has lost its tail and gone on since"
    )]
    Other(Position),
    #[error(transparent)]
    Diverged(#[from] Diverged),
    #[error("the log is in a new epoch")]
    Forked,
    #[error("reading the log broke off")]
    Reader(#[from] tokio::task::JoinError),
}

impl RelayError {
    /// Somebody else has published what was to be published.
    fn is_race(&self) -> bool {
        matches!(self, Self::Refused { source, .. }
            if source.kind() == PublishErrorKind::WrongLastSequence)
    }
}

/// Publishes the log until `shutdown`. Failures are waited out; nothing is ever skipped.
///
/// Two relays at once do no harm: each batch says which sequence it expects to follow, so the slower
/// one is refused. It then lets the other one work and takes over when the stream stands still.
pub async fn run(log: Log, nats: Nats, shutdown: CancellationToken) {
    let relay = Relay {
        log,
        nats,
        progress: Progress::new(),
    };
    let roles = async {
        tokio::join!(
            relay.publish(&shutdown),
            lag::watch(&relay.log, &relay.progress),
            status::answer(&relay.nats, &relay.progress),
        )
    };
    shutdown.run_until_cancelled(roles).await;
}

/// What the parts of the relay share.
struct Relay {
    log: Log,
    nats: Nats,
    progress: Progress,
}

impl Relay {
    async fn publish(&self, shutdown: &CancellationToken) {
        let mut backoff = Backoff::default();
        while !shutdown.is_cancelled() {
            let batches = self.progress.batches();
            let Err(error) = self.session().await;
            if self.progress.batches() > batches {
                backoff.reset();
            }
            if let Err(error) = self.recover(error, &mut backoff, shutdown).await {
                self.wait_out(&error, &mut backoff, shutdown).await;
            }
        }
    }

    /// Does what helps against `error`; what fails on the way is waited out.
    async fn recover(
        &self,
        error: RelayError,
        backoff: &mut Backoff,
        shutdown: &CancellationToken,
    ) -> Result<(), RelayError> {
        match error {
            RelayError::Forked => {
                tracing::info!("the log is in a new epoch");
                Ok(())
            }
            error if error.is_race() => {
                self.progress.is(Activity::Following);
                self.follow().await
            }
            RelayError::Diverged(diverged) => {
                self.progress.is(Activity::Diverged);
                tracing::error!(
                    error = %diverged,
                    "the relay does not publish before an operator has run `fido log fork`"
                );
                self.until_settled().await
            }
            RelayError::Other(_) => {
                self.progress.is(Activity::Diverged);
                tracing::error!(
                    error = %error,
                    "the relay does not publish before an operator has run `fido log fork --force`; \
                     replicas that followed the stream have to be rebuilt"
                );
                backoff.lengthen();
                backoff.wait(shutdown).await;
                Ok(())
            }
            RelayError::Log(_)
            | RelayError::Nats(_)
            | RelayError::Send { .. }
            | RelayError::Refused { .. }
            | RelayError::Stuck
            | RelayError::Misplaced { .. }
            | RelayError::Broken
            | RelayError::LostTail { .. }
            | RelayError::Reader(_) => Err(error),
        }
    }

    /// Waits until trying again is worth it: until the connection stands, or for a while.
    async fn wait_out(
        &self,
        error: &RelayError,
        backoff: &mut Backoff,
        shutdown: &CancellationToken,
    ) {
        self.progress.is(Activity::Waiting);
        let retry_in_ms = u64::try_from(backoff.pause().as_millis()).unwrap_or(u64::MAX);
        let error = chain(error);
        tracing::warn!(
            error,
            retry_in_ms,
            "the relay lost its place and looks again"
        );
        backoff.wait(shutdown).await;
        line::stands(&self.nats.client).await;
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
