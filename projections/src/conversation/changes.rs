//! What a batch of events changes in conversations and their messages.

use std::collections::BTreeMap;

use fido_domain::conversation::{ConversationEvent, ConversationStatus, Copilot, Rating};
use fido_domain::{Position, Private, Recorded};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{ERASED, integer, stored};

#[derive(Default)]
pub(crate) struct Changes {
    pub(super) conversations: BTreeMap<Uuid, Change>,
    /// By conversation and message.
    pub(super) messages: BTreeMap<(Uuid, Uuid), MessageChange>,
    /// What comes to messages besides, by conversation and message.
    pub(super) additions: BTreeMap<(Uuid, Uuid), Addition>,
}

/// What has happened to one conversation.
#[derive(Default)]
pub(super) struct Change {
    pub(super) started: Option<Started>,
    pub(super) title: Option<String>,
    pub(super) status: Option<ConversationStatus>,
    /// How many messages and replies came to it.
    pub(super) said: i64,
    pub(super) sequence: i64,
    pub(super) last_activity_at: Option<OffsetDateTime>,
}

pub(super) struct Started {
    pub(super) account_id: Uuid,
    pub(super) copilot: Copilot,
    pub(super) goal: Option<String>,
    pub(super) plan_id: Option<Uuid>,
    pub(super) created_at: OffsetDateTime,
}

/// What has become of one message: what it says now, and how it entered the log if it just has.
pub(super) struct MessageChange {
    pub(super) entered: Option<Entered>,
    pub(super) content: Content,
}

pub(super) struct Entered {
    pub(super) role: &'static str,
    pub(super) created_at: OffsetDateTime,
    pub(super) position: Position,
    pub(super) replaces: Option<Uuid>,
}

/// What comes to a message when it has been settled: a part of its text, a rating.
#[derive(Default)]
pub(super) struct Addition {
    pub(super) text: Option<String>,
    pub(super) characters: Option<i32>,
    pub(super) rating: Option<Rating>,
}

/// All else that can change in a message; always said as a whole.
#[derive(Default)]
pub(super) struct Content {
    pub(super) status: &'static str,
    pub(super) text: Option<String>,
    pub(super) characters: Option<i32>,
    pub(super) model: Option<String>,
    pub(super) input_tokens: Option<i64>,
    pub(super) output_tokens: Option<i64>,
    pub(super) failure: Option<String>,
    pub(super) settled_at: Option<OffsetDateTime>,
}

impl Changes {
    pub(crate) fn take(&mut self, recorded: &Recorded, event: ConversationEvent) {
        let id = recorded.aggregate_id;
        let at = recorded.recorded_at;
        let change = self.conversations.entry(id).or_default();
        change.sequence = recorded.sequence;
        if event.is_said() {
            change.last_activity_at = Some(at);
        }
        match event {
            ConversationEvent::ConversationStarted {
                account_id,
                copilot,
                goal,
                plan_id,
            } => {
                change.started = Some(Started {
                    account_id,
                    copilot,
                    goal: goal.as_ref().map(stored),
                    plan_id,
                    created_at: at,
                });
            }
            ConversationEvent::ConversationTitled { title } => {
                change.title = Some(stored(&title));
            }
            ConversationEvent::MessagePosted {
                message_id,
                text,
                characters,
            } => {
                change.said += 1;
                let content = Content::said(&text, characters);
                self.enter(recorded, message_id, "user", None, content);
            }
            ConversationEvent::ReplyRequested {
                reply_id, replaces, ..
            } => {
                change.said += 1;
                let content = Content {
                    status: "requested",
                    ..Content::default()
                };
                self.enter(recorded, reply_id, "assistant", replaces, content);
            }
            ConversationEvent::ReplyStarted { .. } => {}
            ConversationEvent::ReplyCompleted {
                reply_id,
                text,
                characters,
                model,
                usage,
                ..
            } => {
                let content = Content {
                    model: Some(model),
                    input_tokens: Some(usage.input_tokens.into()),
                    output_tokens: Some(usage.output_tokens.into()),
                    settled_at: Some(at),
                    ..Content::said(&text, characters)
                };
                self.settle((id, reply_id), content);
            }
            ConversationEvent::ReplyFailed {
                reply_id, reason, ..
            } => {
                let content = Content {
                    status: "failed",
                    failure: Some(reason),
                    settled_at: Some(at),
                    ..Content::default()
                };
                self.settle((id, reply_id), content);
            }
            ConversationEvent::ReplyCancelled { reply_id, .. } => {
                let content = Content {
                    status: "cancelled",
                    settled_at: Some(at),
                    ..Content::default()
                };
                self.settle((id, reply_id), content);
            }
            ConversationEvent::PartialReplyRecorded {
                reply_id,
                text,
                characters,
                ..
            } => {
                let addition = self.additions.entry((id, reply_id)).or_default();
                addition.text = Some(stored(&text));
                addition.characters = Some(integer(characters));
            }
            ConversationEvent::ReplyRated {
                reply_id, rating, ..
            } => {
                let addition = self.additions.entry((id, reply_id)).or_default();
                addition.rating = Some(rating);
            }
            ConversationEvent::ConversationArchived {} => {
                change.status = Some(ConversationStatus::Archived);
            }
            ConversationEvent::ConversationRestored {} => {
                change.status = Some(ConversationStatus::Active);
            }
            ConversationEvent::ConversationErased {} => self.erase(id),
        }
    }

    fn enter(
        &mut self,
        recorded: &Recorded,
        id: Uuid,
        role: &'static str,
        replaces: Option<Uuid>,
        content: Content,
    ) {
        let entered = Entered {
            role,
            created_at: recorded.recorded_at,
            position: recorded.position,
            replaces,
        };
        let change = MessageChange {
            entered: Some(entered),
            content,
        };
        self.messages.insert((recorded.aggregate_id, id), change);
    }

    fn settle(&mut self, message: (Uuid, Uuid), content: Content) {
        if let Some(change) = self.messages.get_mut(&message) {
            change.content = content;
        } else {
            let change = MessageChange {
                entered: None,
                content,
            };
            self.messages.insert(message, change);
        }
    }

    /// The key goes after the event; nothing is shown in between. Messages of earlier batches are
    /// erased where they are, before anything else is written.
    fn erase(&mut self, id: Uuid) {
        let change = self.conversations.entry(id).or_default();
        change.status = Some(ConversationStatus::Erased);
        change.title = change.title.as_ref().map(|_| ERASED.to_owned());
        if let Some(started) = &mut change.started {
            started.goal = started.goal.as_ref().map(|_| ERASED.to_owned());
        }
        let of_it = (id, Uuid::nil())..=(id, Uuid::max());
        for (_, message) in self.messages.range_mut(of_it.clone()) {
            message.content.erase();
        }
        for (_, addition) in self.additions.range_mut(of_it) {
            addition.text = addition.text.as_ref().map(|_| ERASED.to_owned());
        }
    }
}

impl Content {
    fn said(text: &Private<String>, characters: u32) -> Self {
        Self {
            status: "complete",
            text: Some(stored(text)),
            characters: Some(integer(characters)),
            ..Self::default()
        }
    }

    fn erase(&mut self) {
        self.text = self.text.as_ref().map(|_| ERASED.to_owned());
        if self.status == "requested" {
            self.status = "cancelled";
        }
    }
}

#[cfg(test)]
mod tests;
