//! What decisions about a conversation need to know: no text, only what has become of each reply.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConversationEvent, Copilot, Rating};
use crate::Evolve;
use crate::imprint::Imprint;

/// What decisions about a conversation need to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Conversation {
    owner: Option<Uuid>,
    copilot: Option<Copilot>,
    title: Option<Imprint>,
    archived: bool,
    open_reply: Option<OpenReply>,
    replies: BTreeMap<Uuid, ReplyState>,
    last_reply: Option<Uuid>,
    erased: bool,
}

/// A reply that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReply {
    /// Which.
    pub reply_id: Uuid,
    /// How many workers have begun it; 0 when none has.
    pub attempt: u32,
}

/// How a reply has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplyEnd {
    /// It is there.
    Completed,
    /// It will not come.
    Failed,
    /// The person no longer wanted it.
    Cancelled,
}

/// What has become of a reply.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplyState {
    /// The message it answers.
    pub message_id: Uuid,
    /// How it has ended, and which attempt it was at then; none while it is awaited.
    pub end: Option<(ReplyEnd, u32)>,
    /// Whether there is a text of it, be it a part.
    pub has_text: bool,
    /// What the person thinks of it, with what they said about that.
    pub rating: Option<(Rating, Option<Imprint>)>,
}

impl Conversation {
    /// Whose it is; none when it was never started.
    pub fn owner(&self) -> Option<Uuid> {
        self.owner
    }

    /// Who answers.
    pub fn copilot(&self) -> Option<Copilot> {
        self.copilot
    }

    /// Whether it is known to be called just `title` now.
    pub fn is_called(&self, title: &str) -> bool {
        self.title.is_some_and(|known| known.is_of(title))
    }

    /// Whether the person has put it away.
    pub fn is_archived(&self) -> bool {
        self.archived
    }

    /// The reply that is awaited, if one is.
    pub fn open_reply(&self) -> Option<OpenReply> {
        self.open_reply
    }

    /// A reply, be it awaited or not.
    pub fn reply(&self, reply_id: Uuid) -> Option<&ReplyState> {
        self.replies.get(&reply_id)
    }

    /// The reply that was asked for last.
    pub fn last_reply(&self) -> Option<Uuid> {
        self.last_reply
    }

    /// Whether nobody waits for `reply_id` any more.
    pub fn has_settled(&self, reply_id: Uuid) -> bool {
        self.reply(reply_id)
            .is_some_and(|reply| reply.end.is_some())
    }

    /// Whether its content was erased.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    fn end(&mut self, reply_id: Uuid, end: ReplyEnd, attempt: u32) {
        self.open_reply = None;
        if let Some(reply) = self.replies.get_mut(&reply_id) {
            reply.end = Some((end, attempt));
            reply.has_text = end == ReplyEnd::Completed;
        }
    }
}

impl Evolve for Conversation {
    const TYPE: &'static str = "conversation";
    type Event = ConversationEvent;

    fn evolve(&mut self, event: &ConversationEvent) {
        match event {
            ConversationEvent::ConversationStarted {
                account_id,
                copilot,
                ..
            } => {
                self.owner = Some(*account_id);
                self.copilot = Some(*copilot);
            }
            ConversationEvent::ConversationTitled { title } => {
                self.title = Some(Imprint::of(title));
            }
            ConversationEvent::MessagePosted { .. } => {}
            ConversationEvent::ReplyRequested {
                reply_id,
                message_id,
                ..
            } => {
                self.open_reply = Some(OpenReply {
                    reply_id: *reply_id,
                    attempt: 0,
                });
                let awaited = ReplyState {
                    message_id: *message_id,
                    end: None,
                    has_text: false,
                    rating: None,
                };
                self.replies.insert(*reply_id, awaited);
                self.last_reply = Some(*reply_id);
            }
            ConversationEvent::ReplyStarted { reply_id, attempt } => {
                self.open_reply = Some(OpenReply {
                    reply_id: *reply_id,
                    attempt: *attempt,
                });
            }
            ConversationEvent::ReplyCompleted {
                reply_id, attempt, ..
            } => self.end(*reply_id, ReplyEnd::Completed, *attempt),
            ConversationEvent::ReplyFailed {
                reply_id, attempt, ..
            } => self.end(*reply_id, ReplyEnd::Failed, *attempt),
            ConversationEvent::ReplyCancelled { reply_id, attempt } => {
                self.end(*reply_id, ReplyEnd::Cancelled, *attempt);
            }
            ConversationEvent::PartialReplyRecorded { reply_id, .. } => {
                if let Some(reply) = self.replies.get_mut(reply_id) {
                    reply.has_text = true;
                }
            }
            ConversationEvent::ReplyRated {
                reply_id,
                rating,
                comment,
            } => {
                if let Some(reply) = self.replies.get_mut(reply_id) {
                    reply.rating = Some((*rating, comment.as_ref().map(Imprint::of)));
                }
            }
            ConversationEvent::ConversationArchived {} => self.archived = true,
            ConversationEvent::ConversationRestored {} => self.archived = false,
            ConversationEvent::ConversationErased {} => {
                self.open_reply = None;
                self.erased = true;
            }
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.replies.len() * size_of::<(Uuid, ReplyState)>()
    }
}
