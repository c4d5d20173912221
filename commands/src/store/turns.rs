//! Commands of one process for one stream take turns: they would only be in each other's way.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

/// Streams share a place now and then, which costs a wait and nothing else.
const PLACES: usize = 4096;

/// Who is at which stream. Cheap to clone.
#[derive(Clone)]
pub(super) struct Turns {
    places: Arc<[Mutex<()>]>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            places: std::iter::repeat_with(Mutex::default)
                .take(PLACES)
                .collect(),
        }
    }

    /// Waits for the turn at the stream `id`; first come, first served.
    pub(super) async fn wait(&self, id: Uuid) -> MutexGuard<'_, ()> {
        // The last bits of an id are its random ones.
        let (_, low) = id.as_u64_pair();
        let place = usize::try_from(low % PLACES as u64).unwrap_or(0);
        self.places[place].lock().await
    }
}
