//! What a batch of a conversation's events comes to.

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
        replaces: None,
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
    assert_eq!(chat.status, Some(ConversationStatus::Erased));
    let goal = chat.started.as_ref().unwrap().goal.as_deref();
    assert_eq!(goal, Some(ERASED));
    let question = &changes.messages[&(CHAT, QUESTION)].content;
    assert_eq!(question.text.as_deref(), Some(ERASED));
    assert_eq!(question.status, "complete");
    let reply = &changes.messages[&(CHAT, REPLY)].content;
    assert_eq!((reply.status, &reply.text), ("cancelled", &None));
}

#[test]
fn what_comes_to_a_reply_in_the_batch_that_erases_it_leaves_no_content() {
    let titled = ConversationEvent::ConversationTitled {
        title: Private::stored("1:t:x"),
    };
    let cancelled = ConversationEvent::ReplyCancelled {
        reply_id: REPLY,
        attempt: 1,
    };
    let part = ConversationEvent::PartialReplyRecorded {
        reply_id: REPLY,
        attempt: 1,
        text: Private::stored("1:r:x"),
        characters: 3,
    };
    let erased = ConversationEvent::ConversationErased {};
    let changes = fold([
        started(),
        posted(),
        requested(),
        titled,
        cancelled,
        part,
        erased,
    ]);
    assert_eq!(changes.conversations[&CHAT].title.as_deref(), Some(ERASED));
    let addition = &changes.additions[&(CHAT, REPLY)];
    assert_eq!(addition.text.as_deref(), Some(ERASED));
    assert_eq!(addition.characters, Some(3));
    assert_eq!(changes.messages[&(CHAT, REPLY)].content.status, "cancelled");
}

#[test]
fn a_conversation_that_is_only_filed_stays_where_it_is_in_the_list() {
    let archived = ConversationEvent::ConversationArchived {};
    let changes = fold([archived]);
    let chat = &changes.conversations[&CHAT];
    assert_eq!(chat.status, Some(ConversationStatus::Archived));
    assert_eq!((chat.last_activity_at, chat.sequence), (None, 1));
}
