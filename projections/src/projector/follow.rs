//! Following the log: pages from the event store until the replica is near its head, then live from the
//! broker; back to pages whenever something is missing.

use std::pin::pin;
use std::time::Duration;

use fido_commands::log::{Log, LogError};
use fido_domain::{Epoch, Epochs, Position, Recorded};
use fido_nats::feed::{Batch, Feed, FeedError};
use fido_nats::replica::{Announcement, Followed};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::session::{HEARTBEAT, Session, answered};
use super::{Projector, ProjectorError};
use crate::apply::{self, ApplyError};
use crate::checkpoint;
use crate::operation::{self, Health};
use crate::vocabulary::Knows;

/// Events per page when reading from the event store.
const PAGE: i64 = 1_000;
/// How often a paused projector looks whether it may go on.
const PAUSED_LOOK: Duration = Duration::from_millis(500);
/// How long an announcement may take.
const ANNOUNCE: Duration = Duration::from_millis(100);

/// A page on its way.
type Page = AbortOnDropHandle<Result<Vec<Recorded>, LogError>>;

/// A replica on its way along the log.
pub(super) struct Following<'a> {
    projector: &'a Projector,
    session: &'a mut Session,
    knows: Knows,
    epochs: Epochs,
    checkpoint: Position,
    health: Health,
    /// Whether the replica has come further since this began.
    advanced: &'a mut bool,
}

impl<'a> Following<'a> {
    /// The replica meets the log, once no operator wants it to stay as it is.
    pub(super) async fn begin(
        projector: &'a Projector,
        session: &'a mut Session,
        knows: Knows,
        advanced: &'a mut bool,
    ) -> Result<Self, ProjectorError> {
        wait_while_paused(projector, session).await?;
        let epochs = session.during(projector.log.epochs()).await??;
        let head = session.during(projector.log.head()).await??;
        let met = checkpoint::meet(session.connection(), &epochs, head);
        let checkpoint = answered(met).await?;
        let health = answered(operation::health(session.connection())).await?;
        let following = Self {
            projector,
            session,
            knows,
            epochs,
            checkpoint,
            health,
            advanced,
        };
        following.announce().await;
        Ok(following)
    }

    /// Follows until something is missing that a new beginning may find.
    pub(super) async fn run(mut self) -> Result<(), ProjectorError> {
        match self.follow().await {
            Err(ProjectorError::Apply(ApplyError::Paused)) => Ok(()),
            // As long as the replica comes further, holes are no trouble: the log has what is missing.
            Err(ProjectorError::Feed(hole @ FeedError::Hole { .. })) if *self.advanced => {
                tracing::info!(
                    replica.name = %self.projector.replica,
                    reason = %hole,
                    "the stream lacks events; reading them from the log"
                );
                Ok(())
            }
            ended => ended,
        }
    }

    async fn follow(&mut self) -> Result<(), ProjectorError> {
        self.catch_up().await?;
        let mut feed = self.open_feed().await?;
        tracing::info!(
            replica.name = %self.projector.replica,
            position = self.checkpoint,
            "the projector follows the log"
        );
        while let Some(batch) = self.next_batch(&mut feed).await? {
            self.apply(&batch.events).await?;
            batch.acknowledge().await;
        }
        Ok(())
    }

    /// What the broker may no longer hold, or never got, is in the event store.
    async fn catch_up(&mut self) -> Result<(), ProjectorError> {
        let mut next = self.page(self.checkpoint);
        loop {
            let page = self.session.during(next).await?;
            let page = page.map_err(|_| ProjectorError::Interrupted)??;
            // No events still move the checkpoint where a gap begins behind it.
            if page.is_empty() && self.epochs.through(self.checkpoint) == self.checkpoint {
                return Ok(());
            }
            // While this page is written the next one is read.
            next = self.page(page.last().map_or(self.checkpoint, |event| event.position));
            self.apply(&page).await?;
        }
    }

    fn page(&self, after: Position) -> Page {
        let log: Log = self.projector.log.clone();
        AbortOnDropHandle::new(tokio::spawn(async move { log.after(after, PAGE).await }))
    }

    async fn open_feed(&mut self) -> Result<Feed, ProjectorError> {
        let Projector { nats, replica, .. } = self.projector;
        let epoch = self.epochs.current().epoch;
        let opening = Feed::open(nats, replica, self.checkpoint, epoch);
        Ok(self.session.during(opening).await??)
    }

    /// The next events from the broker; none when the log has had some for a while that the broker
    /// does not bring, or has lost some that the replica shows.
    async fn next_batch(&mut self, feed: &mut Feed) -> Result<Option<Batch>, ProjectorError> {
        let mut batch = pin!(feed.next_batch());
        let mut missed = false;
        loop {
            if let Ok(batch) = timeout(HEARTBEAT, &mut batch).await {
                return Ok(Some(batch?));
            }
            self.look_at_health().await?;
            self.announce().await;
            let head = self.session.during(self.projector.log.head()).await??;
            if head < self.checkpoint || (missed && head > self.checkpoint) {
                return Ok(None);
            }
            missed = head > self.checkpoint;
        }
    }

    async fn apply(&mut self, events: &[Recorded]) -> Result<(), ProjectorError> {
        let applied = answered(apply::apply(
            self.session.connection(),
            &self.epochs,
            self.checkpoint,
            events,
            self.knows,
        ))
        .await?;
        if applied.health_changed {
            self.look_at_health().await?;
        }
        if applied.position != self.checkpoint || applied.health_changed {
            *self.advanced |= applied.position != self.checkpoint;
            self.checkpoint = applied.position;
            self.announce().await;
        }
        applied
            .stopped
            .map_or(Ok(()), |unknown| Err(unknown.into()))
    }

    /// Also shows that the session lives.
    async fn look_at_health(&mut self) -> Result<(), ProjectorError> {
        self.health = answered(operation::health(self.session.connection())).await?;
        Ok(())
    }

    async fn announce(&self) {
        let Epoch { log_id, epoch, .. } = *self.epochs.current();
        announce(
            self.projector,
            self.checkpoint,
            Some(Followed { log_id, epoch }),
            self.health,
        )
        .await;
    }
}

/// Tells readers how the replica stands.
async fn announce(
    projector: &Projector,
    position: Position,
    followed: Option<Followed>,
    health: Health,
) {
    let state = Announcement {
        position,
        followed,
        quarantined: health.quarantined.unsigned_abs(),
        paused: health.paused,
    };
    // Without a broker it would wait for one, and the replica need not.
    let announced = projector.nats.announce_replica(&projector.replica, state);
    let _ = timeout(ANNOUNCE, announced).await;
}

/// Waits until no operator wants the replica to stay as it is. Looking keeps the session alive.
async fn wait_while_paused(
    projector: &Projector,
    session: &mut Session,
) -> Result<(), ProjectorError> {
    if !answered(operation::is_paused(session.connection())).await? {
        return Ok(());
    }
    let replica = projector.replica.as_str();
    tracing::info!(
        replica.name = replica,
        "the projector pauses until `fido replica resume`; the replica serves on"
    );
    while answered(operation::is_paused(session.connection())).await? {
        let (position, followed) = answered(checkpoint::shown(session.connection())).await?;
        let health = answered(operation::health(session.connection())).await?;
        announce(projector, position, followed, health).await;
        sleep(PAUSED_LOOK).await;
    }
    tracing::info!(replica.name = replica, "the projector goes on");
    Ok(())
}
