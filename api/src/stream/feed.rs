//! One client's event stream: hello, what it missed from a replica and then from the ring, what
//! happens from now on, and goodbye.

use std::collections::VecDeque;
use std::sync::Arc;

use fido_domain::{Evolve, Position, Recorded, conversation};
use futures::Stream;
use uuid::Uuid;

use super::frame::{self, Frame};
use super::history::History;
use super::hub::Presence;
use super::rooms::{Farewell, Inbox, Push};
use crate::problem::describe;

/// What the client is still to be told, in this order.
pub(super) struct Feed {
    frames: VecDeque<Frame>,
    history: Option<History>,
    missed: VecDeque<Arc<Recorded>>,
    inbox: Option<Inbox>,
    /// The last position that was told, or that the client knew.
    told: Position,
    /// When only one conversation is of interest.
    conversation: Option<Uuid>,
    presence: Option<Presence>,
}

impl Feed {
    /// Begins with `greeting`; the client has seen everything up to `seen`.
    pub(super) fn new(
        greeting: impl Into<VecDeque<Frame>>,
        seen: Position,
        inbox: Inbox,
        conversation: Option<Uuid>,
    ) -> Self {
        Self {
            frames: greeting.into(),
            history: None,
            missed: VecDeque::new(),
            inbox: Some(inbox),
            told: seen,
            conversation,
            presence: None,
        }
    }

    /// Catches up first: `history`, and then `missed`, which follows it.
    pub(super) fn catching_up(mut self, history: History, missed: Vec<Arc<Recorded>>) -> Self {
        self.history = Some(history);
        self.missed = missed.into();
        self
    }

    /// Holds the client's place in the hub until the stream ends.
    pub(super) fn holding(mut self, presence: Presence) -> Self {
        self.presence = Some(presence);
        self
    }

    /// The frames, as they come.
    pub(super) fn into_stream(self) -> impl Stream<Item = Frame> + Send {
        futures::stream::unfold(self, async |mut feed| {
            let frame = feed.next().await?;
            Some((frame, feed))
        })
    }

    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            if let Some(history) = &mut self.history {
                match history.page().await {
                    Ok(page) if page.is_empty() => self.history = None,
                    Ok(page) => page.iter().for_each(|event| self.tell(event)),
                    Err(error) => {
                        tracing::warn!(error = describe(&error), "what was missed cannot be read");
                        self.end(Farewell::Unavailable);
                    }
                }
            } else if let Some(event) = self.missed.pop_front() {
                self.tell(&event);
            } else {
                match self.inbox.as_mut()?.next().await {
                    Ok(Push::Event(event)) => self.tell(&event),
                    Ok(Push::Live(token)) if self.concerns(token.conversation_id()) => {
                        self.frames.push_back(frame::live(&token));
                    }
                    Ok(Push::Live(_)) => {}
                    Err(farewell) => self.end(farewell),
                }
            }
        }
    }

    /// Tells of an event, unless it was told before or is of no interest.
    fn tell(&mut self, event: &Recorded) {
        if event.position <= self.told {
            return;
        }
        self.told = event.position;
        let of_interest = self.conversation.is_none()
            || event.aggregate_type == conversation::Conversation::TYPE
                && self.concerns(event.aggregate_id);
        if of_interest {
            self.frames.push_back(frame::recorded(event));
        }
    }

    fn concerns(&self, conversation: Uuid) -> bool {
        self.conversation.is_none_or(|only| only == conversation)
    }

    /// Nothing after this: whatever was not told, the client asks for when it comes back.
    fn end(&mut self, farewell: Farewell) {
        self.frames.push_back(frame::goodbye(farewell));
        self.history = None;
        self.missed.clear();
        self.inbox = None;
        self.presence = None;
    }
}

#[cfg(test)]
mod tests;
