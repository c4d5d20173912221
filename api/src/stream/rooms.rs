//! Who is connected: a room for each account, a bounded queue for each of its clients.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use fido_domain::Recorded;
use fido_nats::live::LiveEvent;
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How many items may wait for a client.
const QUEUE: usize = 256;

/// Something for a client.
#[derive(Debug, Clone)]
pub(super) enum Push {
    /// It happened, and stands in the log.
    Event(Arc<Recorded>),
    /// It is happening, and is not kept.
    Live(Arc<LiveEvent>),
}

/// Why a stream ends although the client is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Farewell {
    /// The client was too slow for what happened.
    Overflow,
    /// The hub has lost the thread and begins anew.
    Interrupted,
    /// This process ends.
    Shutdown,
    /// What the client missed cannot be read right now.
    Unavailable,
    /// The session has ended.
    SignedOut,
}

/// All rooms. `L` listens for an account's tokens as long as it is held.
#[derive(Debug)]
pub(super) struct Rooms<L> {
    rooms: HashMap<Uuid, Room<L>>,
    seats: u64,
}

#[derive(Debug)]
struct Room<L> {
    seats: Vec<Seat>,
    listening: L,
}

#[derive(Debug)]
struct Seat {
    number: u64,
    queue: mpsc::Sender<Push>,
    farewell: Arc<OnceLock<Farewell>>,
}

/// A client's end of its queue.
#[derive(Debug)]
pub(super) struct Inbox {
    /// Which client of its account it is.
    pub(super) seat: u64,
    queue: mpsc::Receiver<Push>,
    farewell: Arc<OnceLock<Farewell>>,
}

impl Inbox {
    /// What comes next; once the queue is empty and nothing will follow, the reason.
    pub(super) async fn next(&mut self) -> Result<Push, Farewell> {
        let next = self.queue.recv().await;
        next.ok_or_else(|| *self.farewell.get().unwrap_or(&Farewell::Interrupted))
    }
}

impl<L> Rooms<L> {
    pub(super) fn new() -> Self {
        Self {
            rooms: HashMap::new(),
            seats: 0,
        }
    }

    /// Lets a client of `account` in; the first one has `listen` begin.
    pub(super) fn enter(&mut self, account: Uuid, listen: impl FnOnce() -> L) -> (Inbox, &L) {
        self.seats += 1;
        let number = self.seats;
        let (sender, queue) = mpsc::channel(QUEUE);
        let farewell = Arc::new(OnceLock::new());
        let room = self.rooms.entry(account).or_insert_with(|| Room {
            seats: Vec::new(),
            listening: listen(),
        });
        room.seats.push(Seat {
            number,
            queue: sender,
            farewell: Arc::clone(&farewell),
        });
        let inbox = Inbox {
            seat: number,
            queue,
            farewell,
        };
        (inbox, &room.listening)
    }

    /// A client has gone. With the last one the room goes, and with it the listening.
    pub(super) fn leave(&mut self, account: Uuid, seat: u64) {
        self.keep(account, |taken| taken.number != seat);
    }

    /// Hands `push` to every client of `account`; whose queue is full is dismissed.
    pub(super) fn tell(&mut self, account: Uuid, push: &Push) {
        self.keep(account, |seat| {
            let told = seat.queue.try_send(push.clone()).is_ok();
            if !told {
                seat.dismiss(Farewell::Overflow);
            }
            told
        });
    }

    /// Everybody has to go, after what is in their queues.
    pub(super) fn dismiss_all(&mut self, farewell: Farewell) {
        for (_, room) in self.rooms.drain() {
            room.seats.iter().for_each(|seat| seat.dismiss(farewell));
        }
    }

    fn keep(&mut self, account: Uuid, mut stays: impl FnMut(&Seat) -> bool) {
        if let Some(room) = self.rooms.get_mut(&account) {
            room.seats.retain(|seat| stays(seat));
            if room.seats.is_empty() {
                self.rooms.remove(&account);
            }
        }
    }
}

impl Seat {
    fn dismiss(&self, farewell: Farewell) {
        // The first reason is the one that counts.
        let _ = self.farewell.set(farewell);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{account, event};
    use super::*;

    fn happened(position: i64) -> Push {
        Push::Event(Arc::new(event(position)))
    }

    async fn position(inbox: &mut Inbox) -> Result<i64, Farewell> {
        match inbox.next().await? {
            Push::Event(event) => Ok(event.position),
            Push::Live(_) => panic!("not an event"),
        }
    }

    #[tokio::test]
    async fn every_client_of_the_account_is_told_and_nobody_else() {
        let mut rooms = Rooms::new();
        let (mut first, ()) = rooms.enter(account(1), || ());
        let (mut second, ()) = rooms.enter(account(1), || ());
        let (mut other, ()) = rooms.enter(account(2), || ());
        rooms.tell(account(1), &happened(7));
        rooms.tell(account(2), &happened(8));
        assert_eq!(position(&mut first).await, Ok(7));
        assert_eq!(position(&mut second).await, Ok(7));
        assert_eq!(position(&mut other).await, Ok(8));
    }

    #[test]
    fn the_first_client_begins_listening_and_the_last_ends_it() {
        let listening = Arc::new(());
        let mut rooms = Rooms::new();
        let first = rooms.enter(account(1), || Arc::clone(&listening)).0.seat;
        let second = rooms.enter(account(1), || unreachable!()).0.seat;
        rooms.leave(account(1), first);
        assert_eq!(Arc::strong_count(&listening), 2);
        rooms.leave(account(1), second);
        assert_eq!(Arc::strong_count(&listening), 1);
    }

    #[tokio::test]
    async fn a_slow_client_gets_what_fitted_and_then_goodbye() {
        let mut rooms = Rooms::new();
        let (mut inbox, ()) = rooms.enter(account(1), || ());
        for position in 1..=300 {
            rooms.tell(account(1), &happened(position));
        }
        for expected in 1..=256 {
            assert_eq!(position(&mut inbox).await, Ok(expected));
        }
        assert_eq!(position(&mut inbox).await, Err(Farewell::Overflow));
        assert!(rooms.rooms.is_empty());
    }

    #[tokio::test]
    async fn at_the_end_everybody_hears_why() {
        let mut rooms = Rooms::new();
        let (mut inbox, ()) = rooms.enter(account(1), || ());
        rooms.tell(account(1), &happened(1));
        rooms.dismiss_all(Farewell::Shutdown);
        assert_eq!(position(&mut inbox).await, Ok(1));
        assert_eq!(position(&mut inbox).await, Err(Farewell::Shutdown));
    }
}
