//! The streams that are written to: new ones for each measurement, dealt out among the workers, so
//! that nobody ever waits for another's stream.

use fido_commands::ambient;
use uuid::Uuid;

/// One worker's streams, taken in turn.
#[derive(Debug)]
pub(super) struct Streams {
    ids: Vec<Uuid>,
    next: usize,
}

impl Streams {
    /// Makes `streams` streams and deals them out among `workers`.
    pub(super) fn deal(streams: usize, workers: usize) -> Vec<Self> {
        let mut hands: Vec<Self> = (0..workers)
            .map(|_| Self {
                ids: Vec::with_capacity(streams.div_ceil(workers)),
                next: 0,
            })
            .collect();
        for n in 0..streams {
            hands[n % workers].ids.push(ambient::new_id());
        }
        hands
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// All of them, in turn.
    pub(super) fn ids(&self) -> &[Uuid] {
        &self.ids
    }

    /// The one whose turn it is.
    pub(super) fn take_turn(&mut self) -> Uuid {
        let id = self.ids[self.next];
        self.next = (self.next + 1) % self.ids.len();
        id
    }
}
