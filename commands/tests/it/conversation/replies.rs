//! What a person makes of a reply: cancels it, wants another one, rates it.

use fido_domain::conversation::RatingComment;

use super::*;

const ANOTHER: Uuid = Uuid::from_u128(5);

pub(super) fn regenerate(account_id: Uuid) -> ConversationCommand {
    ConversationCommand::RegenerateReply {
        account_id,
        reply_id: REPLY,
        new_reply_id: ANOTHER,
    }
}

pub(super) fn cancel(account_id: Uuid) -> ConversationCommand {
    ConversationCommand::CancelReply {
        account_id,
        reply_id: REPLY,
    }
}

pub(super) fn rate(account_id: Uuid, rating: Rating, comment: Option<&str>) -> ConversationCommand {
    ConversationCommand::RateReply {
        account_id,
        reply_id: REPLY,
        rating,
        comment: comment.map(|comment| RatingComment::parse(comment).unwrap()),
    }
}

fn record_part(attempt: u32, text: &str) -> ConversationCommand {
    ConversationCommand::RecordPartialReply {
        reply_id: REPLY,
        attempt,
        text: text.to_owned(),
    }
}

fn cancelled(attempt: u32) -> ConversationEvent {
    ConversationEvent::ReplyCancelled {
        reply_id: REPLY,
        attempt,
    }
}

fn part() -> ConversationEvent {
    ConversationEvent::PartialReplyRecorded {
        reply_id: REPLY,
        attempt: 1,
        text: "Flo".to_owned().into(),
        characters: 3,
    }
}

fn rated(rating: Rating, comment: Option<&str>) -> ConversationEvent {
    ConversationEvent::ReplyRated {
        reply_id: REPLY,
        rating,
        comment: comment.map(|comment| comment.to_owned().into()),
    }
}

fn failed() -> ConversationEvent {
    ConversationEvent::ReplyFailed {
        reply_id: REPLY,
        attempt: 1,
        reason: "truncated".to_owned(),
    }
}

/// A message and what has become of the wait for a reply to it.
fn asked(then: impl IntoIterator<Item = ConversationEvent>) -> Vec<ConversationEvent> {
    let asked = [started(), posted(), requested(), begun(1)];
    asked.into_iter().chain(then).collect()
}

#[test]
fn a_reply_is_cancelled_before_a_worker_begins_and_while_it_writes() {
    conversations()
        .given(vec![started(), posted(), requested()])
        .when(cancel(ADA))
        .then_expect_events(vec![cancelled(0)]);
    conversations()
        .given(asked([begun(2)]))
        .when(cancel(ADA))
        .then_expect_events(vec![cancelled(2)]);
}

#[test]
fn a_reply_that_has_ended_is_not_cancelled() {
    for end in [completed(1), failed(), cancelled(1)] {
        conversations()
            .given(asked([end]))
            .when(cancel(ADA))
            .then_expect_events(Vec::new());
    }
}

#[test]
fn nobody_cancels_rates_or_writes_again_what_was_never_asked_for() {
    for command in [cancel(ADA), rate(ADA, Rating::Up, None), regenerate(ADA)] {
        conversations()
            .given(vec![started()])
            .when(command)
            .then_expect_error(ConversationRefusal::NoSuchReply);
    }
}

#[test]
fn after_a_cancel_the_worker_changes_nothing_and_the_next_message_may_come() {
    for command in [record(1), fail(1)] {
        conversations()
            .given(asked([cancelled(1)]))
            .when(command)
            .then_expect_events(Vec::new());
    }
    conversations()
        .given(asked([cancelled(1)]))
        .when(ConversationCommand::StartReply { reply_id: REPLY })
        .then_expect_error(ConversationRefusal::ReplyNotOpen);
    conversations()
        .given(asked([cancelled(1)]))
        .when(post(ADA))
        .then_expect_events(vec![posted(), requested()]);
}

#[test]
fn the_part_that_the_last_attempt_had_written_is_kept_once() {
    for end in [cancelled(1), failed()] {
        conversations()
            .given(asked([end.clone()]))
            .when(record_part(1, "Flo"))
            .then_expect_events(vec![part()]);
        conversations()
            .given(asked([end.clone(), part()]))
            .when(record_part(1, "Flour"))
            .then_expect_events(Vec::new());
        conversations()
            .given(asked([end]))
            .when(record_part(1, ""))
            .then_expect_events(Vec::new());
    }
    conversations()
        .given(asked([completed(1)]))
        .when(record_part(1, "Flo"))
        .then_expect_events(Vec::new());
}

#[test]
fn a_part_counts_only_for_a_reply_that_has_ended_and_from_its_last_attempt() {
    conversations()
        .given(asked([]))
        .when(record_part(1, "Flo"))
        .then_expect_error(ConversationRefusal::ReplyInProgress { reply_id: REPLY });
    conversations()
        .given(asked([begun(2), cancelled(2)]))
        .when(record_part(1, "Flo"))
        .then_expect_error(ConversationRefusal::Superseded {
            attempt: 1,
            current: 2,
        });
}

#[test]
fn the_last_reply_is_written_again_however_it_has_ended() {
    for end in [completed(1), failed(), cancelled(1)] {
        conversations()
            .given(asked([end]))
            .when(regenerate(ADA))
            .then_expect_events(vec![ConversationEvent::ReplyRequested {
                reply_id: ANOTHER,
                message_id: MESSAGE,
                copilot: Copilot::FundingNavigator,
                replaces: Some(REPLY),
            }]);
    }
}

#[test]
fn a_reply_that_is_awaited_or_not_the_last_is_not_written_again() {
    conversations()
        .given(asked([]))
        .when(regenerate(ADA))
        .then_expect_error(ConversationRefusal::ReplyInProgress { reply_id: REPLY });
    let another = [
        completed(1),
        ConversationEvent::ReplyRequested {
            reply_id: ANOTHER,
            message_id: MESSAGE,
            copilot: Copilot::FundingNavigator,
            replaces: Some(REPLY),
        },
        ConversationEvent::ReplyFailed {
            reply_id: ANOTHER,
            attempt: 0,
            reason: "truncated".to_owned(),
        },
    ];
    conversations()
        .given(asked(another))
        .when(regenerate(ADA))
        .then_expect_error(ConversationRefusal::ReplyNotLast);
}

#[test]
fn the_last_rating_counts_and_the_same_one_is_no_event() {
    conversations()
        .given(asked([completed(1)]))
        .when(rate(ADA, Rating::Up, Some("Clear")))
        .then_expect_events(vec![rated(Rating::Up, Some("Clear"))]);
    let given = || asked([completed(1), rated(Rating::Up, Some("Clear"))]);
    conversations()
        .given(given())
        .when(rate(ADA, Rating::Up, Some("Clear")))
        .then_expect_events(Vec::new());
    for (rating, comment) in [
        (Rating::Down, Some("Clear")),
        (Rating::Up, Some("Very clear")),
        (Rating::Up, None),
    ] {
        conversations()
            .given(given())
            .when(rate(ADA, rating, comment))
            .then_expect_events(vec![rated(rating, comment)]);
    }
}

#[test]
fn only_what_can_be_read_is_rated() {
    for end in [vec![], vec![failed()], vec![cancelled(1)]] {
        conversations()
            .given(asked(end))
            .when(rate(ADA, Rating::Down, None))
            .then_expect_error(ConversationRefusal::NothingToRate);
    }
    conversations()
        .given(asked([cancelled(1), part()]))
        .when(rate(ADA, Rating::Down, None))
        .then_expect_events(vec![rated(Rating::Down, None)]);
}
