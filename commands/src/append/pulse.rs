//! What a process knows of the log's head: how far it has been seen, its epoch, and what was appended
//! here.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use fido_domain::Position;
use tokio::sync::watch;

/// What this process knows of the log's head, shared by all who append and all who look.
#[derive(Debug)]
pub(crate) struct Pulse {
    seen: AtomicI64,
    epoch: AtomicI32,
    appended: watch::Sender<Position>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            seen: AtomicI64::new(0),
            epoch: AtomicI32::new(0),
            appended: watch::Sender::new(0),
        }
    }

    /// Something trusted has shown `position`: a log that ends before it has lost its tail.
    pub(crate) fn witness(&self, position: Position) {
        self.seen.fetch_max(position, Ordering::Relaxed);
    }

    /// The highest position that anything trusted has shown.
    pub(super) fn seen(&self) -> Position {
        self.seen.load(Ordering::Relaxed)
    }

    /// The log is in this epoch; what is known already counts more.
    pub(crate) fn begin(&self, epoch: i32) {
        self.epoch.fetch_max(epoch, Ordering::AcqRel);
    }

    /// The epoch of the log; 0 before it was asked. What was loaded in another one is worthless.
    pub(crate) fn epoch(&self) -> i32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The last position that this process has appended.
    pub(crate) fn appended(&self) -> watch::Receiver<Position> {
        self.appended.subscribe()
    }

    /// This process has appended up to `position`.
    pub(super) fn reached(&self, position: Position) {
        self.witness(position);
        self.appended
            .send_if_modified(|last| position > std::mem::replace(last, position.max(*last)));
    }
}
