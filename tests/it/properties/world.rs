//! The model: what an event store is when it is a few maps, one thread and no network.

use std::collections::BTreeMap;

use fido_commands::Decide;
use fido_commands::conversation::ConversationRefusal;
use fido_domain::conversation::{Conversation, ConversationEvent};
use fido_domain::{Evolve, Position, Private};
use uuid::Uuid;

use super::order::Order;

/// Every stream of a case and every claim, at one moment.
#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) streams: BTreeMap<Uuid, Stream>,
    /// Which stream holds the claim of this kind and hash.
    pub(super) claims: BTreeMap<(String, Vec<u8>), Uuid>,
    /// What was done for which key.
    pub(super) receipts: BTreeMap<Vec<u8>, Done>,
}

/// What was done for a request with a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub(super) request: Vec<u8>,
    pub(super) first: Position,
    pub(super) last: Position,
}

/// One stream.
#[derive(Clone, Default)]
pub(super) struct Stream {
    state: Conversation,
    pub(super) sequence: i64,
    pub(super) first: Position,
    pub(super) last: Position,
}

/// What follows from a command.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Events(Vec<ConversationEvent>),
    Refused(ConversationRefusal),
    ClaimTaken(String),
    /// The same request was done before.
    Replayed(Done),
    /// Another request with this key was done before.
    KeyReused,
}

impl World {
    /// The stream `id`, empty when it has not begun.
    pub(super) fn stream(&self, id: Uuid) -> Stream {
        self.streams.get(&id).cloned().unwrap_or_default()
    }

    /// What follows from `order` now.
    pub(super) fn decide(&self, order: &Order) -> Verdict {
        if let Some((key, request)) = order.key()
            && let Some(done) = self.receipts.get(key)
        {
            return if done.request == request {
                Verdict::Replayed(done.clone())
            } else {
                Verdict::KeyReused
            };
        }
        match self.stream(order.stream).state.decide(&order.command) {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(events) if events.is_empty() => Verdict::Events(events),
            Ok(events) => {
                let taken = order.context.claims.iter().find(|claim| {
                    let key = (claim.kind.clone(), claim.hash.clone());
                    claim.take && self.claims.get(&key).is_some_and(|by| *by != order.stream)
                });
                match taken {
                    Some(claim) => Verdict::ClaimTaken(claim.kind.clone()),
                    None => Verdict::Events(events),
                }
            }
        }
    }

    /// Takes the events of `order` into account, which stand at `first` and after it.
    pub(super) fn record(&mut self, order: &Order, events: &[ConversationEvent], first: Position) {
        for claim in &order.context.claims {
            let key = (claim.kind.clone(), claim.hash.clone());
            if claim.take {
                self.claims.insert(key, order.stream);
            } else if self.claims.get(&key) == Some(&order.stream) {
                self.claims.remove(&key);
            }
        }
        let stream = self.streams.entry(order.stream).or_default();
        if stream.sequence == 0 {
            stream.first = first;
        }
        for (event, position) in events.iter().zip(first..) {
            stream.state.evolve(event);
            stream.sequence += 1;
            stream.last = position;
        }
        if let Some((key, request)) = order.key() {
            let done = Done {
                request: request.to_vec(),
                first,
                last: stream.last,
            };
            self.receipts.insert(key.to_vec(), done);
        }
    }
}

/// The event with its private content left out: as stored that may be sealed, and then compares with
/// nothing.
pub(super) fn without_content(mut event: ConversationEvent) -> ConversationEvent {
    let blank = || Private::new(String::new());
    match &mut event {
        ConversationEvent::ConversationStarted { goal, .. } => {
            *goal = goal.as_ref().map(|_| blank());
        }
        ConversationEvent::MessagePosted { text, .. }
        | ConversationEvent::ReplyCompleted { text, .. }
        | ConversationEvent::PartialReplyRecorded { text, .. } => *text = blank(),
        ConversationEvent::ConversationTitled { title } => *title = blank(),
        ConversationEvent::ReplyRated { comment, .. } => {
            *comment = comment.as_ref().map(|_| blank());
        }
        ConversationEvent::ReplyRequested { .. }
        | ConversationEvent::ReplyStarted { .. }
        | ConversationEvent::ReplyFailed { .. }
        | ConversationEvent::ReplyCancelled { .. }
        | ConversationEvent::ConversationArchived {}
        | ConversationEvent::ConversationRestored {}
        | ConversationEvent::ConversationErased {} => {}
    }
    event
}
