//! When the replica was heard to show what.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fido_domain::Position;
use fido_nats::Nats;
use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// How long a replica may take to catch up with whatever was written.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every announcement, with the moment at which it came.
pub(super) struct Heard {
    announced: Arc<Mutex<Vec<(Instant, Position)>>>,
    furthest: watch::Receiver<Position>,
    _listening: AbortOnDropHandle<()>,
}

impl Heard {
    /// Listens to the announcements of the replica `name` from now on.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub(super) async fn listen(nats: &Nats, name: &str) -> Result<Self> {
        let mut announcements = nats.replica_announcements().await?;
        let announced = Arc::new(Mutex::new(Vec::new()));
        let (furthest, watching) = watch::channel(0);
        let (noted, name) = (Arc::clone(&announced), name.to_owned());
        let listening = tokio::spawn(async move {
            while let Some((replica, announcement)) = announcements.next().await {
                let (now, position) = (Instant::now(), announcement.position);
                if replica == name && position > *furthest.borrow() {
                    lock(&noted).push((now, position));
                    furthest.send_replace(position);
                }
            }
        });
        Ok(Self {
            announced,
            furthest: watching,
            _listening: AbortOnDropHandle::new(listening),
        })
    }

    /// Waits until the replica shows `position`.
    ///
    /// # Errors
    /// When that takes too long.
    pub(super) async fn wait_for(&self, position: Position) -> Result<()> {
        let mut furthest = self.furthest.clone();
        let reached = furthest.wait_for(|furthest| *furthest >= position);
        tokio::time::timeout(PATIENCE, reached)
            .await
            .with_context(|| format!("the replica does not come to {position}"))?
            .context("nobody listens any more")?;
        Ok(())
    }

    /// When it was first heard that the replica shows `position`; none if it was not.
    pub(super) fn when(&self, position: Position) -> Option<Instant> {
        let announced = lock(&self.announced);
        let before = announced.partition_point(|(_, shown)| *shown < position);
        announced.get(before).map(|(heard, _)| *heard)
    }
}

fn lock(
    announced: &Mutex<Vec<(Instant, Position)>>,
) -> std::sync::MutexGuard<'_, Vec<(Instant, Position)>> {
    // Nothing that holds it can leave it half done.
    announced.lock().unwrap_or_else(PoisonError::into_inner)
}
