//! What all readers of a process share: the replicas, what is known of the log, and a bell that rings
//! whenever something changes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fido_domain::{Epoch, Position};
use fido_nats::replica::Followed;
use tokio::sync::watch;

use super::Replica;
use super::choice::Log;
use super::endpoint::Endpoint;

/// The replicas of one process.
#[derive(Debug)]
pub(super) struct Shared {
    endpoints: Vec<Arc<Endpoint>>,
    news: Arc<News>,
    /// Whose turn it is among equals.
    turn: AtomicUsize,
    /// Announcements are being listened to.
    is_followed: AtomicBool,
}

/// Where replicas leave what has been learnt of them.
#[derive(Debug, Default)]
pub(super) struct News {
    log: Mutex<Log>,
    furthest: watch::Sender<Position>,
    bell: watch::Sender<()>,
}

impl News {
    /// Something has changed: `position` was reached in `followed`.
    pub(super) fn ring(&self, position: Position, followed: Option<Followed>) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = followed.is_none_or(|followed| {
            let is_ours = log.log_id.is_none_or(|log_id| log_id == followed.log_id);
            if is_ours {
                log.epoch = log.epoch.max(followed.epoch);
            }
            is_ours
        });
        drop(log);
        if is_ours {
            self.furthest.send_if_modified(|furthest| {
                position > std::mem::replace(furthest, position.max(*furthest))
            });
        }
        self.bell.send_replace(());
    }
}

impl Shared {
    pub(super) fn new(replicas: impl IntoIterator<Item = Replica>) -> Arc<Self> {
        let news = Arc::new(News::default());
        let endpoints = replicas
            .into_iter()
            .map(|replica| Endpoint::new(replica, Arc::clone(&news)))
            .collect();
        Arc::new(Self {
            endpoints,
            news,
            turn: AtomicUsize::new(0),
            is_followed: AtomicBool::new(false),
        })
    }

    pub(super) fn expect(&self, epoch: &Epoch) {
        let mut log = self.news.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.log_id != Some(epoch.log_id) {
            // Whatever was heard before may have been said of another log.
            *log = Log {
                log_id: Some(epoch.log_id),
                epoch: epoch.epoch,
            };
        }
        log.epoch = log.epoch.max(epoch.epoch);
        drop(log);
        self.news.bell.send_replace(());
    }

    pub(super) fn log(&self) -> Log {
        *self.news.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    pub(super) fn has_reserved(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.is_reserved())
    }

    pub(super) fn furthest(&self) -> watch::Receiver<Position> {
        self.news.furthest.subscribe()
    }

    pub(super) fn bell(&self) -> watch::Receiver<()> {
        self.news.bell.subscribe()
    }

    pub(super) fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn is_followed(&self) -> bool {
        self.is_followed.load(Ordering::Relaxed)
    }

    pub(super) fn set_followed(&self, is_followed: bool) {
        self.is_followed.store(is_followed, Ordering::Relaxed);
    }
}
