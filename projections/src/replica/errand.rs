//! One question on its way: to a replica that suits, to another when that fails, and waiting while
//! none suits.

use std::sync::Arc;
use std::time::Duration;

use fido_domain::Position;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::choice::{Rank, best, rank};
use super::endpoint::Endpoint;
use super::known::Known;
use super::probe::is_the_line;
use super::{PATIENCE, ReadError, Replicas, Snapshot};

/// Announcements may get lost: whoever waits looks after so long.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// The server has given up on a query that took too long; it would take as long elsewhere.
const QUERY_CANCELED: &str = "57014";

/// One question on its way.
pub(super) struct Errand<'a> {
    replicas: &'a Replicas,
    asked: Position,
    deadline: Instant,
    /// Those that have failed it, with what was known of them then; none when whatever is learnt of
    /// them is not going to help.
    failed: Vec<(Arc<Endpoint>, Option<u64>)>,
    failure: Option<sqlx::Error>,
}

/// Where to go, and whether there would be another.
struct Choice {
    endpoint: Arc<Endpoint>,
    is_another: bool,
}

impl<'a> Errand<'a> {
    pub(super) fn new(replicas: &'a Replicas, at_least: Option<Position>) -> Self {
        Self {
            replicas,
            asked: at_least.unwrap_or(0),
            deadline: Instant::now() + PATIENCE,
            failed: Vec::new(),
            failure: None,
        }
    }

    /// A view that suits, of whichever replica has one first.
    pub(super) async fn open(&mut self) -> Result<Snapshot, ReadError> {
        let mut bell = self.replicas.shared.bell();
        let mut look_at = Instant::now();
        if self.replicas.shared.is_followed() {
            look_at += LOOK_AGAIN;
        }
        loop {
            bell.mark_unchanged();
            if let Some(snapshot) = self.open_now().await {
                return Ok(snapshot);
            }
            if Instant::now() >= self.give_up_at() {
                return Err(self.give_up());
            }
            if Instant::now() >= look_at {
                self.look().await;
                look_at = Instant::now() + LOOK_AGAIN;
            } else {
                news(&mut bell, look_at.min(self.give_up_at())).await;
            }
        }
    }

    /// A view of a replica that suits as far as is known; none when there is none.
    async fn open_now(&mut self) -> Option<Snapshot> {
        let mut is_first = true;
        while is_first || Instant::now() < self.deadline {
            is_first = false;
            let Choice {
                endpoint,
                is_another,
            } = self.choose()?;
            match endpoint.open(is_another).await {
                // What was known of it may be outdated; the snapshot is not.
                Ok(snapshot) if self.suits(&snapshot) => return Some(snapshot),
                Ok(_) => {}
                Err(error) => self.could_not_open(&endpoint, error),
            }
        }
        None
    }

    fn choose(&self) -> Option<Choice> {
        let shared = &self.replicas.shared;
        let (log, now) = (shared.log(), Instant::now());
        let known: Vec<_> = shared
            .endpoints()
            .iter()
            .filter(|endpoint| self.replicas.may_ask(endpoint))
            .map(|endpoint| (endpoint, endpoint.known()))
            .collect();
        let in_the_epoch = known.iter().filter(|(_, known)| {
            let epoch = known.followed.map(|followed| followed.epoch);
            epoch.is_none_or(|epoch| epoch == log.epoch)
        });
        let furthest = in_the_epoch.map(|(_, known)| known.position).max()?;
        let candidates: Vec<(Rank, usize, &Arc<Endpoint>)> = known
            .iter()
            .filter(|(endpoint, known)| !self.has_failed(endpoint, known))
            .filter_map(|(endpoint, known)| {
                let rank = rank(known, log, self.asked, furthest, now)?;
                Some((rank, endpoint.in_flight(), *endpoint))
            })
            .collect();
        let is_another = candidates.len() > 1;
        let endpoint = Arc::clone(best(candidates, shared.next_turn())?);
        Some(Choice {
            endpoint,
            is_another,
        })
    }

    fn has_failed(&self, endpoint: &Arc<Endpoint>, known: &Known) -> bool {
        self.failed.iter().any(|(failed, version)| {
            Arc::ptr_eq(failed, endpoint) && version.is_none_or(|version| version == known.version)
        })
    }

    fn suits(&self, snapshot: &Snapshot) -> bool {
        let (shown, log) = (snapshot.shown(), self.replicas.shared.log());
        let is_ours = shown.followed.is_none_or(|followed| {
            log.log_id.is_none_or(|log_id| log_id == followed.log_id)
                && (self.asked == 0 || followed.epoch == log.epoch)
        });
        is_ours && shown.position >= self.asked
    }

    fn could_not_open(&mut self, endpoint: &Arc<Endpoint>, error: sqlx::Error) {
        let was_slow = matches!(error, sqlx::Error::PoolTimedOut);
        // Whatever else keeps it from showing its checkpoint, it is of no use to anybody.
        if !was_slow {
            endpoint.is_gone(&error);
        }
        self.leave_out(endpoint, Some(endpoint.known().version));
        self.failure = Some(error);
    }

    /// The replica has failed under the query.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] when asking another one would not help.
    pub(super) fn failed(
        &mut self,
        endpoint: &Arc<Endpoint>,
        error: sqlx::Error,
    ) -> Result<(), ReadError> {
        let code = error.as_database_error().and_then(|refusal| refusal.code());
        if code.as_deref() == Some(QUERY_CANCELED) {
            return Err(error.into());
        }
        tracing::debug!(replica.name = endpoint.name(), error = %error, "a query failed; asking another replica");
        let is_the_line = is_the_line(&error);
        if is_the_line {
            endpoint.is_gone(&error);
        }
        self.leave_out(endpoint, is_the_line.then(|| endpoint.known().version));
        self.failure = Some(error);
        Ok(())
    }

    /// The replica has not answered the query.
    pub(super) fn silent(&mut self, endpoint: &Arc<Endpoint>) {
        endpoint.suspect();
        self.leave_out(endpoint, None);
        self.failure = Some(sqlx::Error::PoolTimedOut);
    }

    fn leave_out(&mut self, endpoint: &Arc<Endpoint>, version: Option<u64>) {
        self.failed
            .retain(|(failed, _)| !Arc::ptr_eq(failed, endpoint));
        self.failed.push((Arc::clone(endpoint), version));
    }

    /// Those that queries like this may go to.
    fn eligible(&self) -> impl Iterator<Item = (&Arc<Endpoint>, Known)> {
        let endpoints = self.replicas.shared.endpoints().iter();
        let may_ask = endpoints.filter(|endpoint| self.replicas.may_ask(endpoint));
        may_ask.map(|endpoint| (endpoint, endpoint.known()))
    }

    /// When waiting is of no use any more. Whoever is out for longer than anybody waits is not
    /// waited for.
    fn give_up_at(&self) -> Instant {
        let until = self.eligible().filter_map(|(endpoint, known)| {
            let is_hopeless = self
                .failed
                .iter()
                .any(|(failed, version)| Arc::ptr_eq(failed, endpoint) && version.is_none());
            let until = known.out_since.map_or(self.deadline, |out| out + PATIENCE);
            (!is_hopeless).then_some(until)
        });
        until.max().unwrap_or_else(Instant::now).min(self.deadline)
    }

    fn give_up(&mut self) -> ReadError {
        let answering = self.eligible().filter(|(endpoint, known)| {
            known.out_since.is_none() && !self.has_failed(endpoint, known)
        });
        match answering.map(|(_, known)| known.position).max() {
            Some(position) if self.asked > 0 => ReadError::Behind {
                position,
                asked: self.asked,
            },
            _ => match self.failure.take() {
                Some(error) => ReadError::Unavailable(error),
                None => ReadError::NoneAlive,
            },
        }
    }

    /// Looks at those that are not known to be far enough.
    async fn look(&self) {
        let looking = self
            .eligible()
            .filter(|(_, known)| known.out_since.is_none())
            .map(|(endpoint, _)| endpoint.look());
        futures::future::join_all(looking).await;
    }
}

/// Waits until something is learnt, but not longer than `until`.
async fn news(bell: &mut watch::Receiver<()>, until: Instant) {
    // The bell hangs in what the errand borrows.
    let _ = timeout_at(until, bell.changed()).await;
}
