//! What the hub knows at one moment: the newest events and who is connected. Joining happens between
//! two events, so that a client is handed each exactly once: from the past, the ring or its queue.

use std::sync::Arc;

use fido_domain::{Epochs, Position, Recorded};
use uuid::Uuid;

use super::ring::Ring;
use super::rooms::{Farewell, Inbox, Push, Rooms};

/// The ring, while the log is followed, and the rooms.
#[derive(Debug)]
pub(super) struct Board<L> {
    ring: Option<Ring>,
    /// Of the log that is followed, or was last.
    epochs: Option<Epochs>,
    rooms: Rooms<L>,
}

/// What a client gets when it joins.
#[derive(Debug)]
pub(super) struct Joined {
    /// The last event before the first one that will come to `inbox`.
    pub(super) position: Position,
    /// Events up to here that the client has not seen must be read from a replica.
    pub(super) floor: Position,
    /// Its account's events in `(floor, position]` that it has not seen.
    pub(super) missed: Vec<Arc<Recorded>>,
    /// Everything after that.
    pub(super) inbox: Inbox,
    /// What the client has seen last, the log has lost.
    pub(super) is_lost: bool,
}

impl<L> Board<L> {
    pub(super) fn new() -> Self {
        Self {
            ring: None,
            epochs: None,
            rooms: Rooms::new(),
        }
    }

    /// The log, of these `epochs`, is followed from `position` on, and `capacity` events are kept.
    pub(super) fn begin(&mut self, epochs: Epochs, position: Position, capacity: usize) {
        self.ring = Some(Ring::behind(position, capacity));
        self.epochs = Some(epochs);
    }

    /// The epochs of the log that is followed, or was last.
    pub(super) fn epochs(&self) -> Option<&Epochs> {
        self.epochs.as_ref()
    }

    /// The next event of the log; `account` may see it.
    pub(super) fn publish(&mut self, account: Option<Uuid>, event: Arc<Recorded>) {
        if let Some(account) = account {
            self.rooms.tell(account, &Push::Event(Arc::clone(&event)));
        }
        if let Some(ring) = &mut self.ring {
            ring.push(account, event);
        }
    }

    /// Something for `account` that is not kept.
    pub(super) fn tell(&mut self, account: Uuid, push: &Push) {
        self.rooms.tell(account, push);
    }

    /// The log is no longer followed: everybody has to come back later.
    pub(super) fn stop(&mut self, farewell: Farewell) {
        self.ring = None;
        self.rooms.dismiss_all(farewell);
    }

    /// Lets a client of `account` in that has seen everything up to `after`, or wants nothing of
    /// the past; none while the log is not followed.
    pub(super) fn join(
        &mut self,
        account: Uuid,
        after: Option<Position>,
        listen: impl FnOnce() -> L,
    ) -> Option<(Joined, &L)> {
        let (ring, epochs) = (self.ring.as_ref()?, self.epochs.as_ref()?);
        let missed = after.map_or_else(Vec::new, |after| ring.after(account, after));
        let (inbox, listening) = self.rooms.enter(account, listen);
        let joined = Joined {
            position: ring.head(),
            floor: ring.floor(),
            missed,
            inbox,
            is_lost: after.is_some_and(|after| epochs.is_lost(after)),
        };
        Some((joined, listening))
    }

    /// A client has gone.
    pub(super) fn leave(&mut self, account: Uuid, seat: u64) {
        self.rooms.leave(account, seat);
    }
}

#[cfg(test)]
mod tests {
    use fido_domain::Epoch;

    use super::super::testing::{account, event};
    use super::*;

    /// A board that follows from 100 on, keeps three events and has seen up to `head`; even
    /// positions are account 0's, odd ones account 1's.
    fn board(head: Position) -> Board<()> {
        let mut board = Board::new();
        board.begin(Epochs::first(Uuid::nil()), 100, 3);
        for position in 101..=head {
            happen(&mut board, position);
        }
        board
    }

    fn happen(board: &mut Board<()>, position: Position) {
        board.publish(Some(account(position % 2)), Arc::new(event(position)));
    }

    fn join(board: &mut Board<()>, after: Option<Position>) -> Joined {
        board.join(account(0), after, || ()).unwrap().0
    }

    fn missed(joined: &Joined) -> Vec<Position> {
        joined.missed.iter().map(|event| event.position).collect()
    }

    #[tokio::test]
    async fn ring_and_queue_meet_without_gap_or_repeat() {
        let mut board = board(105);
        let mut joined = join(&mut board, Some(103));
        assert_eq!(missed(&joined), [104]);
        assert_eq!(joined.position, 105);
        happen(&mut board, 106);
        assert!(
            matches!(joined.inbox.next().await, Ok(Push::Event(event)) if event.position == 106)
        );
    }

    #[test]
    fn what_lies_below_the_floor_is_left_to_a_replica() {
        let joined = join(&mut board(105), Some(7));
        assert_eq!(joined.floor, 102);
        assert_eq!(missed(&joined), [104]);
    }

    #[test]
    fn without_a_position_only_the_future_counts() {
        let joined = join(&mut board(105), None);
        assert!(missed(&joined).is_empty());
        assert_eq!(joined.position, 105);
    }

    #[test]
    fn a_client_may_know_more_than_the_hub() {
        let joined = join(&mut board(105), Some(110));
        assert!(missed(&joined).is_empty());
        assert_eq!(joined.position, 105);
    }

    #[tokio::test]
    async fn while_the_log_is_not_followed_nobody_is_in() {
        let mut board = board(105);
        let mut joined = join(&mut board, None);
        board.stop(Farewell::Interrupted);
        assert!(matches!(
            joined.inbox.next().await,
            Err(Farewell::Interrupted)
        ));
        assert!(board.join(account(0), None, || ()).is_none());
        board.begin(Epochs::first(Uuid::nil()), 200, 3);
        assert_eq!(join(&mut board, Some(105)).floor, 200);
    }

    #[test]
    fn whoever_has_seen_what_is_lost_is_found_out() {
        let forked = Epoch {
            log_id: Uuid::nil(),
            epoch: 2,
            forked_after: 80,
            first_position: 101,
        };
        let mut board = Board::new();
        board.begin(Epochs::try_new(vec![forked]).unwrap(), 100, 3);
        assert!(join(&mut board, Some(90)).is_lost);
        for held in [None, Some(80), Some(100)] {
            assert!(!join(&mut board, held).is_lost, "{held:?}");
        }
    }

    #[test]
    fn an_event_of_nobody_moves_the_head_all_the_same() {
        let mut board = board(105);
        board.publish(None, Arc::new(event(106)));
        assert_eq!(join(&mut board, Some(0)).position, 106);
    }
}
