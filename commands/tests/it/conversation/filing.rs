//! Naming a conversation, putting it away and taking it out again.

use fido_domain::conversation::ConversationTitle;

use super::*;

pub(super) fn file(
    account_id: Uuid,
    title: Option<&str>,
    archived: Option<bool>,
) -> ConversationCommand {
    ConversationCommand::FileConversation {
        account_id,
        title: title.map(|title| ConversationTitle::parse(title).unwrap()),
        archived,
    }
}

fn titled(title: &str) -> ConversationEvent {
    ConversationEvent::ConversationTitled {
        title: title.to_owned().into(),
    }
}

const ARCHIVED: ConversationEvent = ConversationEvent::ConversationArchived {};

#[test]
fn a_conversation_is_named_and_put_away_in_one_go() {
    conversations()
        .given(vec![started()])
        .when(file(ADA, Some("Bread"), Some(true)))
        .then_expect_events(vec![titled("Bread"), ARCHIVED]);
}

#[test]
fn what_is_so_already_is_no_event() {
    for command in [
        file(ADA, Some("Bread"), Some(true)),
        file(ADA, Some("Bread"), None),
        file(ADA, None, Some(true)),
        file(ADA, None, None),
    ] {
        conversations()
            .given(vec![started(), titled("Bread"), ARCHIVED])
            .when(command)
            .then_expect_events(Vec::new());
    }
}

#[test]
fn an_archived_conversation_waits_until_it_is_taken_out() {
    let given = || {
        vec![
            started(),
            posted(),
            requested(),
            begun(1),
            completed(1),
            ARCHIVED,
        ]
    };
    for command in [post(ADA), replies::regenerate(ADA)] {
        conversations()
            .given(given())
            .when(command)
            .then_expect_error(ConversationRefusal::Archived);
    }
    conversations()
        .given(given())
        .when(file(ADA, None, Some(false)))
        .then_expect_events(vec![ConversationEvent::ConversationRestored {}]);
}

#[test]
fn a_reply_comes_also_after_the_conversation_was_put_away() {
    conversations()
        .given(vec![started(), posted(), requested(), begun(1), ARCHIVED])
        .when(record(1))
        .then_expect_events(vec![completed(1)]);
}
