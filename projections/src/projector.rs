//! The projector of one replica: follows the log, through the broker when it can, from the event
//! store when it must, and moves the replica forward batch by batch.

use std::convert::Infallible;

use fido_commands::log::{Log, LogError};
use fido_domain::Position;
use fido_nats::backoff::Backoff;
use fido_nats::feed::{Feed, FeedError};
use fido_nats::replica::{Announcement, Followed};
use fido_nats::{Nats, NatsError};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::apply::{self, ApplyError};
use crate::checkpoint::{self, ContactError};

/// Events per page when reading from the event store.
const PAGE: i64 = 1_000;

#[derive(Debug, thiserror::Error)]
enum ProjectorError {
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Nats(#[from] NatsError),
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
        let epochs = self.log.epochs().await?;
        let head = self.log.head().await?;
        let mut checkpoint = checkpoint::meet(&self.pool, &epochs, head).await?;
        let followed = Followed {
            log_id: epochs.current().log_id,
            epoch: epochs.current().epoch,
        };
        self.announce(checkpoint, followed).await;
        // What the broker may no longer hold, or never got, is in the event store.
        loop {
            let page = self.log.after(checkpoint, PAGE).await?;
            // No events still move the checkpoint where a gap begins behind it.
            if page.is_empty() && epochs.through(checkpoint) == checkpoint {
                break;
            }
            checkpoint = apply::apply(&self.pool, &epochs, checkpoint, &page).await?;
            *advanced = true;
            self.announce(checkpoint, followed).await;
        }
        let epoch = epochs.current().epoch;
        let mut feed = Feed::open(&self.nats, &self.replica, checkpoint, epoch).await?;
        tracing::info!(replica.name = %self.replica, position = checkpoint, "the projector follows the log");
        loop {
            let batch = feed.next_batch().await?;
            checkpoint = apply::apply(&self.pool, &epochs, checkpoint, &batch.events).await?;
            *advanced = true;
            self.announce(checkpoint, followed).await;
            batch.acknowledge().await;
        }
    }

    async fn announce(&self, checkpoint: Position, followed: Followed) {
        let announcement = Announcement {
            followed: Some(followed),
            ..Announcement::from(checkpoint)
        };
        self.nats
            .announce_replica(&self.replica, announcement)
            .await;
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
        ProjectorError::Contact(ContactError::Diverged(_)) => tracing::error!(
            replica.name = replica,
            error = %error,
            "the projector pauses until an operator has run `fido log fork`; the replica serves on"
        ),
        ProjectorError::Contact(ContactError::OtherLog { .. }) => {
            tracing::error!(replica.name = replica, error = %error, "the projector pauses");
        }
        ProjectorError::Nats(NatsError::NoStream | NatsError::OtherEpoch { .. })
        | ProjectorError::Feed(FeedError::Line(NatsError::NoStream)) => {
            tracing::info!(
                replica.name = replica,
                "waiting for the relay to make the event stream"
            );
        }
        ProjectorError::Contact(_)
        | ProjectorError::Apply(_)
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
