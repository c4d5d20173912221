//! What a batch of events changes in conversations and their messages.

use std::collections::BTreeMap;

use fido_domain::conversation::{ConversationEvent, Copilot};
use fido_domain::{Position, Private, Recorded};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{ERASED, integer, stored};

#[derive(Default)]
pub(crate) struct Changes {
    pub(super) conversations: BTreeMap<Uuid, Change>,
    /// By conversation and message.
    pub(super) messages: BTreeMap<(Uuid, Uuid), MessageChange>,
}

/// What has happened to one conversation.
#[derive(Default)]
pub(super) struct Change {
    pub(super) started: Option<Started>,
    /// How many messages and replies came to it.
    pub(super) said: i64,
    pub(super) erased: bool,
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
}

/// All that can change in a message; always said as a whole.
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
        change.last_activity_at = Some(at);
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
            ConversationEvent::MessagePosted {
                message_id,
                text,
                characters,
            } => {
                change.said += 1;
                self.enter(
                    recorded,
                    message_id,
                    "user",
                    Content::said(&text, characters),
                );
            }
            ConversationEvent::ReplyRequested { reply_id, .. } => {
                change.said += 1;
                let content = Content {
                    status: "requested",
                    ..Content::default()
                };
                self.enter(recorded, reply_id, "assistant", content);
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
            ConversationEvent::ConversationErased {} => self.erase(id),
        }
    }

    fn enter(&mut self, recorded: &Recorded, id: Uuid, role: &'static str, content: Content) {
        let entered = Entered {
            role,
            created_at: recorded.recorded_at,
            position: recorded.position,
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
        change.erased = true;
        if let Some(started) = &mut change.started {
            started.goal = started.goal.as_ref().map(|_| ERASED.to_owned());
        }
        let of_it = self
            .messages
            .range_mut((id, Uuid::nil())..=(id, Uuid::max()));
        for (_, message) in of_it {
            message.content.erase();
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
mod tests {
    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    const CHAT: Uuid = Uuid::from_u128(1);
    const QUESTION: Uuid = Uuid::from_u128(2);
    const REPLY: Uuid = Uuid::from_u128(3);

    fn recorded(position: Position) -> Recorded {
        Recorded {
            position,
            aggregate_type: "conversation".to_owned(),
            aggregate_id: CHAT,
            sequence: position,
            event_type: String::new(),
            event_version: "1".to_owned(),
            payload: to_raw_value(&json!({})).unwrap(),
            metadata: to_raw_value(&json!({})).unwrap(),
            recorded_at: OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(position),
        }
    }

    fn fold(events: impl IntoIterator<Item = ConversationEvent>) -> Changes {
        let mut changes = Changes::default();
        for (event, position) in events.into_iter().zip(1..) {
            changes.take(&recorded(position), event);
        }
        changes
    }

    fn started() -> ConversationEvent {
        ConversationEvent::ConversationStarted {
            account_id: Uuid::nil(),
            copilot: Copilot::GrowthEngine,
            goal: Some(Private::stored("1:g:x")),
            plan_id: None,
        }
    }

    fn posted() -> ConversationEvent {
        ConversationEvent::MessagePosted {
            message_id: QUESTION,
            text: Private::stored("1:q:x"),
            characters: 7,
        }
    }

    fn requested() -> ConversationEvent {
        ConversationEvent::ReplyRequested {
            reply_id: REPLY,
            message_id: QUESTION,
            copilot: Copilot::GrowthEngine,
        }
    }

    fn completed() -> ConversationEvent {
        ConversationEvent::ReplyCompleted {
            reply_id: REPLY,
            attempt: 1,
            text: Private::stored("1:r:x"),
            characters: 9,
            model: "m".to_owned(),
            usage: fido_domain::conversation::Usage {
                input_tokens: 3,
                output_tokens: 4,
            },
        }
    }

    #[test]
    fn a_reply_that_is_asked_for_and_given_is_one_new_row() {
        let changes = fold([started(), posted(), requested(), completed()]);
        assert_eq!(changes.conversations[&CHAT].said, 2);
        assert_eq!(changes.messages.len(), 2);
        let reply = &changes.messages[&(CHAT, REPLY)];
        assert_eq!(reply.entered.as_ref().unwrap().position, 3);
        assert_eq!(reply.content.status, "complete");
        assert_eq!(reply.content.text.as_deref(), Some(r#"{"sealed":"1:r:x"}"#));
    }

    #[test]
    fn a_reply_to_an_earlier_batch_changes_a_row_and_enters_none() {
        let changes = fold([completed()]);
        let reply = &changes.messages[&(CHAT, REPLY)];
        assert!(reply.entered.is_none());
        assert_eq!(reply.content.input_tokens, Some(3));
        assert!(changes.conversations[&CHAT].started.is_none());
    }

    #[test]
    fn what_is_said_and_erased_at_once_leaves_no_content() {
        let erased = ConversationEvent::ConversationErased {};
        let changes = fold([started(), posted(), requested(), erased]);
        let chat = &changes.conversations[&CHAT];
        assert!(chat.erased);
        let goal = chat.started.as_ref().unwrap().goal.as_deref();
        assert_eq!(goal, Some(ERASED));
        let question = &changes.messages[&(CHAT, QUESTION)].content;
        assert_eq!(question.text.as_deref(), Some(ERASED));
        assert_eq!(question.status, "complete");
        let reply = &changes.messages[&(CHAT, REPLY)].content;
        assert_eq!((reply.status, &reply.text), ("cancelled", &None));
    }
}
