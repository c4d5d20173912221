//! One client's event stream: hello, what it missed from a replica and then from the ring, what
//! happens from now on, and goodbye.

use std::collections::VecDeque;
use std::sync::Arc;

use fido_commands::Vault;
use fido_commands::vault::VaultError;
use fido_domain::{Evolve, Position, Recorded, conversation};
use futures::Stream;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::frame::{self, Frame};
use super::history::History;
use super::hub::Presence;
use super::rooms::{Farewell, Inbox, Push};
use crate::problem::describe;

/// Opens the content of events for the client whose it is.
pub(super) trait Open: Send {
    /// The payload as the client is shown it.
    fn shown(
        &self,
        event: &Recorded,
    ) -> impl Future<Output = Result<Box<RawValue>, VaultError>> + Send;
}

impl Open for Vault {
    async fn shown(&self, event: &Recorded) -> Result<Box<RawValue>, VaultError> {
        Self::shown(self, event).await
    }
}

/// Something that the client is told next.
enum Told {
    Frame(Frame),
    Event(Arc<Recorded>),
}

/// What the client is still to be told, in this order.
pub(super) struct Feed {
    next: VecDeque<Told>,
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
        greeting: impl IntoIterator<Item = Frame>,
        seen: Position,
        inbox: Inbox,
        conversation: Option<Uuid>,
    ) -> Self {
        Self {
            next: greeting.into_iter().map(Told::Frame).collect(),
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

    /// The frames, as they come; `open` opens what the client may read.
    pub(super) fn into_stream(self, open: impl Open) -> impl Stream<Item = Frame> + Send {
        futures::stream::unfold((self, open), |(mut feed, open)| async move {
            let frame = match feed.next().await? {
                Told::Frame(frame) => frame,
                Told::Event(event) => match open.shown(&event).await {
                    Ok(payload) => frame::recorded(&event, &payload),
                    Err(error) => {
                        tracing::warn!(error = describe(&error), "an event cannot be opened");
                        feed.leave();
                        frame::goodbye(Farewell::Unavailable)
                    }
                },
            };
            Some((frame, (feed, open)))
        })
    }

    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.next.pop_front() {
                return Some(told);
            }
            if let Some(history) = &mut self.history {
                match history.page().await {
                    Ok(page) if page.is_empty() => self.history = None,
                    Ok(page) => page
                        .into_iter()
                        .for_each(|event| self.tell(Arc::new(event))),
                    Err(error) => {
                        tracing::warn!(error = describe(&error), "what was missed cannot be read");
                        self.end(Farewell::Unavailable);
                    }
                }
            } else if let Some(event) = self.missed.pop_front() {
                self.tell(event);
            } else {
                match self.inbox.as_mut()?.next().await {
                    Ok(Push::Event(event)) => self.tell(event),
                    Ok(Push::Live(token)) if self.concerns(token.conversation_id()) => {
                        self.next.push_back(Told::Frame(frame::live(&token)));
                    }
                    Ok(Push::Live(_)) => {}
                    Err(farewell) => self.end(farewell),
                }
            }
        }
    }

    /// Tells of an event, unless it was told before or is of no interest.
    fn tell(&mut self, event: Arc<Recorded>) {
        if event.position <= self.told {
            return;
        }
        self.told = event.position;
        let of_interest = self.conversation.is_none()
            || event.aggregate_type == conversation::Conversation::TYPE
                && self.concerns(event.aggregate_id);
        if of_interest {
            self.next.push_back(Told::Event(event));
        }
    }

    fn concerns(&self, conversation: Uuid) -> bool {
        self.conversation.is_none_or(|only| only == conversation)
    }

    /// Nothing after this: whatever was not told, the client asks for when it comes back.
    fn end(&mut self, farewell: Farewell) {
        self.leave();
        self.next.push_back(Told::Frame(frame::goodbye(farewell)));
    }

    fn leave(&mut self) {
        self.next.clear();
        self.history = None;
        self.missed.clear();
        self.inbox = None;
        self.presence = None;
    }
}

#[cfg(test)]
mod tests;
