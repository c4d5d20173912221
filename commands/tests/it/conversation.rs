//! What may happen in a conversation.

mod filing;
mod replies;

use cqrs_es::test::TestFramework;
use fido_commands::conversation::{ConversationCommand, ConversationRefusal};
use fido_commands::decide::Decider;
use fido_domain::conversation::{
    Conversation, ConversationEvent, Copilot, MessageText, Rating, Usage,
};
use uuid::Uuid;

const ADA: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);
const MESSAGE: Uuid = Uuid::from_u128(3);
const REPLY: Uuid = Uuid::from_u128(4);
const USAGE: Usage = Usage {
    input_tokens: 5,
    output_tokens: 6,
};

fn conversations() -> TestFramework<Decider<Conversation>> {
    TestFramework::with(())
}

fn started() -> ConversationEvent {
    ConversationEvent::ConversationStarted {
        account_id: ADA,
        copilot: Copilot::FundingNavigator,
        goal: None,
        plan_id: None,
    }
}

fn posted() -> ConversationEvent {
    ConversationEvent::MessagePosted {
        message_id: MESSAGE,
        text: "A bakery".to_owned().into(),
        characters: 8,
    }
}

fn requested() -> ConversationEvent {
    ConversationEvent::ReplyRequested {
        reply_id: REPLY,
        message_id: MESSAGE,
        copilot: Copilot::FundingNavigator,
        replaces: None,
    }
}

fn begun(attempt: u32) -> ConversationEvent {
    ConversationEvent::ReplyStarted {
        reply_id: REPLY,
        attempt,
    }
}

fn completed(attempt: u32) -> ConversationEvent {
    ConversationEvent::ReplyCompleted {
        reply_id: REPLY,
        attempt,
        text: "Flour!".to_owned().into(),
        characters: 6,
        model: "m".to_owned(),
        usage: USAGE,
    }
}

fn post(account_id: Uuid) -> ConversationCommand {
    ConversationCommand::PostMessage {
        account_id,
        message_id: MESSAGE,
        reply_id: REPLY,
        text: MessageText::parse("A bakery").unwrap(),
    }
}

fn record(attempt: u32) -> ConversationCommand {
    ConversationCommand::RecordReply {
        reply_id: REPLY,
        attempt,
        text: "Flour!".to_owned(),
        model: "m".to_owned(),
        usage: USAGE,
    }
}

fn fail(attempt: u32) -> ConversationCommand {
    ConversationCommand::FailReply {
        reply_id: REPLY,
        attempt,
        reason: "truncated".to_owned(),
    }
}

#[test]
fn a_message_asks_for_a_reply() {
    conversations()
        .given(vec![started()])
        .when(post(ADA))
        .then_expect_events(vec![posted(), requested()]);
}

#[test]
fn nobody_posts_where_nothing_was_started() {
    conversations()
        .given_no_previous_events()
        .when(post(ADA))
        .then_expect_error(ConversationRefusal::NotFound);
}

#[test]
fn somebody_elses_conversation_does_not_exist() {
    conversations()
        .given(vec![started()])
        .when(post(BOB))
        .then_expect_error(ConversationRefusal::NotFound);
}

#[test]
fn one_reply_at_a_time() {
    conversations()
        .given(vec![started(), posted(), requested()])
        .when(post(ADA))
        .then_expect_error(ConversationRefusal::ReplyInProgress { reply_id: REPLY });
}

#[test]
fn after_a_reply_the_next_message_may_come() {
    conversations()
        .given(vec![
            started(),
            posted(),
            requested(),
            begun(1),
            completed(1),
        ])
        .when(post(ADA))
        .then_expect_events(vec![posted(), requested()]);
}

#[test]
fn each_worker_that_begins_is_a_new_attempt() {
    let begin = ConversationCommand::StartReply { reply_id: REPLY };
    conversations()
        .given(vec![started(), posted(), requested()])
        .when(begin.clone())
        .then_expect_events(vec![begun(1)]);
    conversations()
        .given(vec![started(), posted(), requested(), begun(1)])
        .when(begin)
        .then_expect_events(vec![begun(2)]);
}

#[test]
fn the_current_attempt_brings_the_reply() {
    conversations()
        .given(vec![started(), posted(), requested(), begun(1), begun(2)])
        .when(record(2))
        .then_expect_events(vec![completed(2)]);
}

#[test]
fn a_superseded_attempt_neither_completes_nor_fails_the_reply() {
    for command in [record(1), fail(1)] {
        conversations()
            .given(vec![started(), posted(), requested(), begun(1), begun(2)])
            .when(command)
            .then_expect_error(ConversationRefusal::Superseded {
                attempt: 1,
                current: 2,
            });
    }
}

#[test]
fn a_reply_is_settled_once_however_often_it_is_recorded() {
    for again in [record(1), record(2), fail(1)] {
        conversations()
            .given(vec![
                started(),
                posted(),
                requested(),
                begun(1),
                completed(1),
            ])
            .when(again)
            .then_expect_events(Vec::new());
    }
}

#[test]
fn nobody_begins_a_reply_that_is_not_awaited() {
    conversations()
        .given(vec![
            started(),
            posted(),
            requested(),
            begun(1),
            completed(1),
        ])
        .when(ConversationCommand::StartReply { reply_id: REPLY })
        .then_expect_error(ConversationRefusal::ReplyNotOpen);
}

#[test]
fn a_failed_reply_ends_the_wait() {
    let failed = ConversationEvent::ReplyFailed {
        reply_id: REPLY,
        attempt: 1,
        reason: "truncated".to_owned(),
    };
    conversations()
        .given(vec![started(), posted(), requested(), begun(1)])
        .when(fail(1))
        .then_expect_events(vec![failed.clone()]);
    conversations()
        .given(vec![started(), posted(), requested(), begun(1), failed])
        .when(post(ADA))
        .then_expect_events(vec![posted(), requested()]);
}

/// Whatever a person may ask of a conversation whose reply has come.
fn asked_by(account_id: Uuid) -> Vec<ConversationCommand> {
    vec![
        post(account_id),
        replies::regenerate(account_id),
        replies::cancel(account_id),
        replies::rate(account_id, Rating::Up, None),
        filing::file(account_id, Some("Bread"), Some(true)),
    ]
}

#[test]
fn somebody_elses_conversation_takes_no_command() {
    let given = || vec![started(), posted(), requested(), begun(1), completed(1)];
    for command in asked_by(BOB) {
        conversations()
            .given(given())
            .when(command.clone())
            .then_expect_error(ConversationRefusal::NotFound);
        conversations()
            .given_no_previous_events()
            .when(command)
            .then_expect_error(ConversationRefusal::NotFound);
    }
}

fn erase(account_id: Uuid) -> ConversationCommand {
    ConversationCommand::EraseConversation { account_id }
}

#[test]
fn a_conversation_is_erased_once_also_while_a_reply_is_awaited() {
    for given in [
        vec![started()],
        vec![started(), posted(), requested(), begun(1)],
    ] {
        conversations()
            .given(given)
            .when(erase(ADA))
            .then_expect_events(vec![ConversationEvent::ConversationErased {}]);
    }
    conversations()
        .given(vec![started(), ConversationEvent::ConversationErased {}])
        .when(erase(ADA))
        .then_expect_events(Vec::new());
}

#[test]
fn nobody_erases_somebody_elses_conversation() {
    for given in [
        Vec::new(),
        vec![started()],
        vec![started(), ConversationEvent::ConversationErased {}],
    ] {
        conversations()
            .given(given)
            .when(erase(BOB))
            .then_expect_error(ConversationRefusal::NotFound);
    }
}

#[test]
fn an_erased_conversation_does_not_exist() {
    let start = ConversationCommand::StartConversation {
        account_id: ADA,
        copilot: Copilot::GrowthEngine,
        goal: None,
        plan_id: None,
    };
    let begin = ConversationCommand::StartReply { reply_id: REPLY };
    let part = ConversationCommand::RecordPartialReply {
        reply_id: REPLY,
        attempt: 1,
        text: "Fl".to_owned(),
    };
    let mut commands = vec![start, begin, record(1), fail(1), part];
    commands.extend(asked_by(ADA));
    for command in commands {
        conversations()
            .given(vec![
                started(),
                posted(),
                requested(),
                begun(1),
                ConversationEvent::ConversationErased {},
            ])
            .when(command)
            .then_expect_error(ConversationRefusal::NotFound);
    }
}
