//! Learning how far each replica is from what projectors announce. Nobody polls: while nothing
//! happens, nothing is asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fido_domain::Position;
use fido_nats::Nats;
use fido_nats::replica::Announcement;
use futures::StreamExt;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::shared::Shared;
use super::{PATIENCE, Replicas};

/// The pause before announcements are listened to again.
const PAUSE: Duration = Duration::from_secs(1);
/// The first pause between two looks at a standby that is about to come as far as announced.
const FIRST_LOOK: Duration = Duration::from_millis(10);
/// The longest.
const LAST_LOOK: Duration = Duration::from_millis(200);

/// Announcements are listened to for as long as this is held.
struct Following<'a>(&'a Shared);

impl<'a> Following<'a> {
    fn begin(shared: &'a Shared) -> Self {
        shared.set_followed(true);
        Self(shared)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.set_followed(false);
    }
}

impl Replicas {
    /// Learns each replica's position whenever its projector announces it, until `shutdown`.
    pub async fn follow(self, nats: Nats, shutdown: CancellationToken) {
        let listening = async {
            loop {
                self.listen(&nats).await;
                sleep(PAUSE).await;
            }
        };
        shutdown.run_until_cancelled(listening).await;
    }

    async fn listen(&self, nats: &Nats) {
        let mut announcements = match nats.replica_announcements().await {
            Ok(announcements) => announcements,
            Err(error) => {
                tracing::warn!(error = %error, "positions of replicas are not heard of");
                return;
            }
        };
        let _following = Following::begin(&self.shared);
        // What was announced before is in the replicas themselves.
        self.shared
            .endpoints()
            .iter()
            .for_each(|endpoint| endpoint.suspect());
        while let Some((name, told)) = announcements.next().await {
            self.heard(&name, &told);
        }
    }

    fn heard(&self, name: &str, told: &Announcement) {
        for endpoint in self.shared.endpoints() {
            let known = endpoint.known();
            if known.is_standby {
                // What its primary announces reaches it by replication, a moment later.
                if known.out_since.is_none() && known.position < told.position {
                    endpoint.expect(told.position);
                }
            } else if endpoint.name() == name {
                endpoint.announced(told);
            }
        }
    }
}

impl Endpoint {
    /// A standby is about to come to `position`, and nobody is going to announce that: it is looked
    /// at until it is there, or until it is clear that it is not coming.
    fn expect(self: &Arc<Self>, position: Position) {
        self.expected.fetch_max(position, Ordering::AcqRel);
        if self.is_chased.swap(true, Ordering::AcqRel) {
            return;
        }
        let endpoint = Arc::downgrade(self);
        tokio::spawn(async move {
            let (mut pause, mut last) = (FIRST_LOOK, Instant::now());
            let mut expected = 0;
            while let Some(endpoint) = endpoint.upgrade() {
                let now_expected = endpoint.expected.load(Ordering::Acquire);
                if now_expected > expected {
                    (pause, last) = (FIRST_LOOK, Instant::now());
                    expected = now_expected;
                }
                let is_there = endpoint.has_reached(expected);
                if is_there || last.elapsed() > PATIENCE {
                    endpoint.is_chased.store(false, Ordering::Release);
                    // Whatever was announced in between is taken up here, or by whoever announces it.
                    let is_news = endpoint.expected.load(Ordering::Acquire) > expected;
                    if is_news && !endpoint.is_chased.swap(true, Ordering::AcqRel) {
                        continue;
                    }
                    return;
                }
                endpoint.look().await;
                drop(endpoint);
                sleep(pause).await;
                pause = (pause * 2).min(LAST_LOOK);
            }
        });
    }
}
