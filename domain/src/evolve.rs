//! The one thing every aggregate does: take an event and be changed by it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoredEvent;

/// A state that events add up to. `evolve` is total: an event that was stored is true.
pub trait Evolve: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stored name of this kind of stream (`events.aggregate_type`).
    const TYPE: &'static str;

    /// What can happen to it.
    type Event: StoredEvent;

    /// Takes one event into account. Same state and same event, same result, always.
    fn evolve(&mut self, event: &Self::Event);

    /// The state that `events`, in order, add up to.
    fn fold<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self {
        let mut state = Self::default();
        for event in events {
            state.evolve(event);
        }
        state
    }
}
