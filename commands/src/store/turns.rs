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
        self.wait_for(id.as_bytes()).await
    }

    /// Waits for the turn at whatever `key` names; its last bytes must be random ones.
    pub(super) async fn wait_for(&self, key: &[u8]) -> MutexGuard<'_, ()> {
        let low = key.last_chunk().map_or(0, |low| u64::from_be_bytes(*low));
        let place = usize::try_from(low % PLACES as u64).unwrap_or(0);
        self.places[place].lock().await
    }
}
