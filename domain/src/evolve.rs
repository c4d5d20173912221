//! The one thing every aggregate does: take an event and be changed by it. Twice over: as the small
//! state that decisions need, and as the whole that people read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoredEvent;
use crate::recorded::Stamp;

/// A state that events add up to. `evolve` is total: an event that was stored is true.
pub trait Evolve: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stored name of this kind of stream (`events.aggregate_type`).
    const TYPE: &'static str;

    /// What can happen to it.
    type Event: StoredEvent;

    /// Takes one event into account. Same state and same event, same result, always.
    fn evolve(&mut self, event: &Self::Event);

    /// About how many bytes the state takes in memory.
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    /// The state that `events`, in order, add up to.
    fn fold<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self {
        let mut state = Self::default();
        for event in events {
            state.evolve(event);
        }
        state
    }
}

/// Everything that the events of one stream say, content included: for answers to commands, for a
/// stream as it was at an earlier position, and for comparing a replica with the log.
///
/// Content is as it comes: whoever folds sealed events holds a sealed whole.
pub trait FullFold: Default {
    /// What can happen to it.
    type Event: StoredEvent + 'static;

    /// Takes one event into account. Total and repeatable, as [`Evolve::evolve`] is.
    fn evolve(&mut self, event: &Self::Event, stamp: Stamp);

    /// The whole that `events`, in order, add up to.
    fn fold<'a>(events: impl IntoIterator<Item = (&'a Self::Event, Stamp)>) -> Self {
        let mut whole = Self::default();
        for (event, stamp) in events {
            whole.evolve(event, stamp);
        }
        whole
    }
}
