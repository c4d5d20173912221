//! The states of hot streams, so that a command need not load what the last one left.
//!
//! Only for speed, and never trusted: a state that others have overtaken ends in a conflict, then what
//! has been added since is loaded and the command decided again.

use std::any::Any;
use std::sync::Arc;

use fido_domain::Position;
use moka::sync::Cache;
use uuid::Uuid;

use crate::decide::Decide;

/// What all states may take together, in bytes.
const BYTES: u64 = 64 * 1024 * 1024;
/// What keeping one costs beside its own size: key, counters, the map's entry.
const OVERHEAD: usize = 200;

/// A stream as it was at some moment.
#[derive(Debug, Clone)]
pub(super) struct Known<S> {
    pub(super) state: S,
    /// The sequence of the last event that is in `state`.
    pub(super) sequence: i64,
    /// The position of that event; none where only the database knows.
    pub(super) position: Option<Position>,
    /// The epoch of the log in which it was so.
    pub(super) epoch: i32,
}

#[derive(Clone)]
struct Entry {
    known: Arc<dyn Any + Send + Sync>,
    bytes: u32,
}

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct States(Cache<(&'static str, Uuid), Entry>);

impl States {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(BYTES);
        Self(cache.weigher(|_, entry: &Entry| entry.bytes).build())
    }

    pub(super) fn get<S: Decide>(&self, id: Uuid) -> Option<Arc<Known<S>>> {
        self.0.get(&(S::TYPE, id))?.known.downcast().ok()
    }

    pub(super) fn keep<S: Decide>(&self, id: Uuid, known: Known<S>) {
        let bytes = known.state.bytes() + OVERHEAD;
        let entry = Entry {
            known: Arc::new(known),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        };
        self.0.insert((S::TYPE, id), entry);
    }
}
