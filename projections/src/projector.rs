//! The projector of one replica: follows the log, through the broker when it can, from the event
//! store when it must, and moves the replica forward batch by batch.

use std::convert::Infallible;

use fido_commands::log::{Log, LogError};
use fido_nats::backoff::Backoff;
use fido_nats::feed::{Feed, FeedError};
use fido_nats::{Nats, NatsError};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::apply::{self, ApplyError};

/// Events per page when reading from the event store.
const PAGE: i64 = 1_000;

#[derive(Debug, thiserror::Error)]
enum ProjectorError {
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Nats(#[from] NatsError),
}

impl From<sqlx::Error> for ProjectorError {
    fn from(error: sqlx::Error) -> Self {
        Self::Apply(error.into())
    }
}

/// What a projector needs.
#[derive(Clone)]
pub struct Projector {
    /// The replica's name, by which its position is announced.
    pub replica: String,
    /// The replica.
    pub pool: PgPool,
    /// The truth.
    pub log: Log,
    /// The carrier.
    pub nats: Nats,
}

impl Projector {
    /// Keeps the replica up to date until `shutdown`. Failures are waited out; nothing is skipped.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut backoff = Backoff::default();
        while !shutdown.is_cancelled() {
            let mut advanced = false;
            let error = tokio::select! {
                () = shutdown.cancelled() => return,
                ended = self.follow(&mut advanced) => match ended {
                    Ok(never) => match never {},
                    Err(error) => error,
                },
            };
            if advanced {
                backoff.reset();
            }
            report(&self.replica, &error);
            backoff.wait(&shutdown).await;
        }
    }

    async fn follow(&self, advanced: &mut bool) -> Result<Infallible, ProjectorError> {
        let mut checkpoint = apply::checkpoint(&self.pool).await?;
        // What the broker may no longer hold, or never got, is in the event store.
        loop {
            let page = self.log.after(checkpoint, PAGE).await?;
            if page.is_empty() {
                break;
            }
            checkpoint = apply::apply(&self.pool, checkpoint, &page).await?;
            *advanced = true;
            self.nats.announce_replica(&self.replica, checkpoint).await;
        }
        let mut feed = Feed::open(&self.nats, &self.replica, checkpoint).await?;
        tracing::info!(replica.name = %self.replica, position = checkpoint, "the projector follows the log");
        loop {
            let batch = feed.next_batch().await?;
            checkpoint = apply::apply(&self.pool, checkpoint, &batch.events).await?;
            *advanced = true;
            self.nats.announce_replica(&self.replica, checkpoint).await;
            batch.acknowledge().await;
        }
    }
}

/// Says what stopped the projector, as loudly as it deserves.
fn report(replica: &str, error: &ProjectorError) {
    match error {
        ProjectorError::Apply(ApplyError::Undecodable(_) | ApplyError::UnknownAggregate { .. }) => {
            tracing::error!(
                replica.name = replica,
                error = %error,
                "the projector pauses: upgrade it to a build that knows this event; the replica serves on"
            )
        }
        ProjectorError::Nats(NatsError::NoStream)
        | ProjectorError::Feed(FeedError::Line(NatsError::NoStream)) => {
            tracing::info!(
                replica.name = replica,
                "waiting for the relay to make the event stream"
            );
        }
        ProjectorError::Apply(_)
        | ProjectorError::Log(_)
        | ProjectorError::Feed(_)
        | ProjectorError::Nats(_) => tracing::warn!(
            replica.name = replica,
            error = %error,
            source = error_source(error),
            "the projector lost its place and looks again"
        ),
    }
}

fn error_source(error: &ProjectorError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}
