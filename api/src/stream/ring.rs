//! The newest events of the log, in memory: what most clients missed when they come back.

use std::collections::VecDeque;
use std::sync::Arc;

use fido_domain::{Position, Recorded};
use uuid::Uuid;

/// Every event in `(floor, head]`, each with the account that may see it.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<(Option<Uuid>, Arc<Recorded>)>,
    capacity: usize,
    floor: Position,
    head: Position,
}

impl Ring {
    /// An empty ring: the next event is the one after `position`.
    pub(super) fn behind(position: Position, capacity: usize) -> Self {
        Self {
            events: VecDeque::with_capacity(capacity),
            capacity,
            floor: position,
            head: position,
        }
    }

    /// Takes in the next event, and lets go of the oldest when it is full.
    pub(super) fn push(&mut self, account: Option<Uuid>, event: Arc<Recorded>) {
        if self.events.len() == self.capacity
            && let Some((_, oldest)) = self.events.pop_front()
        {
            self.floor = oldest.position;
        }
        self.head = event.position;
        self.events.push_back((account, event));
    }

    /// Every event after this one is here.
    pub(super) fn floor(&self) -> Position {
        self.floor
    }

    /// The last event that was taken in.
    pub(super) fn head(&self) -> Position {
        self.head
    }

    /// What `account` may see of the events after `position`, in order.
    pub(super) fn after(&self, account: Uuid, position: Position) -> Vec<Arc<Recorded>> {
        let from = self
            .events
            .partition_point(|(_, event)| event.position <= position);
        self.events
            .range(from..)
            .filter(|(owner, _)| *owner == Some(account))
            .map(|(_, event)| Arc::clone(event))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{account, event};
    use super::*;

    fn ring(capacity: usize, events: impl IntoIterator<Item = Position>) -> Ring {
        let mut ring = Ring::behind(100, capacity);
        for position in events {
            ring.push(Some(account(position % 2)), Arc::new(event(position)));
        }
        ring
    }

    fn positions(ring: &Ring, of: i64, after: Position) -> Vec<Position> {
        let events = ring.after(account(of), after);
        events.iter().map(|event| event.position).collect()
    }

    #[test]
    fn everybody_sees_their_own_events_in_order() {
        let ring = ring(8, 101..=106);
        assert_eq!(positions(&ring, 0, 0), [102, 104, 106]);
        assert_eq!(positions(&ring, 1, 101), [103, 105]);
        assert!(positions(&ring, 1, 106).is_empty());
    }

    #[test]
    fn every_event_above_the_floor_is_there() {
        let mut expected = ring(4, 101..=104);
        assert_eq!((expected.floor(), expected.head()), (100, 104));
        expected.push(None, Arc::new(event(105)));
        assert_eq!((expected.floor(), expected.head()), (101, 105));
        assert_eq!(positions(&expected, 0, 0), [102, 104]);
    }

    #[test]
    fn an_empty_ring_holds_everything_after_its_floor() {
        let ring = ring(4, []);
        assert_eq!((ring.floor(), ring.head()), (100, 100));
    }
}
