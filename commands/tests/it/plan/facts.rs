//! Noting facts about the business.

use fido_commands::plan::MOST_FACTS;

use super::*;

fn record(key_text: &str, value: &str, source: Source) -> PlanCommand {
    PlanCommand::RecordFact {
        account_id: ADA,
        key: key(key_text),
        value: FactValue::parse(value).unwrap(),
        source,
        conversation_id: None,
    }
}

fn recorded(key_text: &str, value: &str, source: Source) -> PlanEvent {
    PlanEvent::FactRecorded {
        key: key(key_text),
        value: private(value),
        source,
        conversation_id: None,
    }
}

fn withdraw() -> PlanCommand {
    PlanCommand::WithdrawFact {
        account_id: ADA,
        key: key("seats"),
    }
}

fn withdrawn() -> PlanEvent {
    PlanEvent::FactWithdrawn { key: key("seats") }
}

#[test]
fn a_fact_is_recorded_and_corrected() {
    use Source::{Model, User};
    for (before, source) in [
        (None, Model),
        (None, User),
        (Some(Model), Model),
        (Some(Model), User),
        (Some(User), User),
    ] {
        let before = before.map(|before| recorded("seats", "12", before));
        plans()
            .given([started()].into_iter().chain(before).collect())
            .when(record("seats", "14", source))
            .then_expect_events(vec![recorded("seats", "14", source)]);
    }
}

#[test]
fn a_co_pilot_does_not_correct_the_person() {
    plans()
        .given(vec![started(), recorded("seats", "12", Source::User)])
        .when(record("seats", "14", Source::Model))
        .then_expect_error(PlanRefusal::FactEnteredByPerson { key: key("seats") });
}

#[test]
fn the_same_fact_again_changes_nothing() {
    use Source::{Model, User};
    for (before, again) in [(Model, Model), (User, User), (User, Model)] {
        plans()
            .given(vec![started(), recorded("seats", "12", before)])
            .when(record("seats", "12", again))
            .then_expect_events(Vec::new());
    }
}

#[test]
fn a_person_makes_a_gathered_fact_their_own() {
    plans()
        .given(vec![started(), recorded("seats", "12", Source::Model)])
        .when(record("seats", "12", Source::User))
        .then_expect_events(vec![recorded("seats", "12", Source::User)]);
}

#[test]
fn a_fact_is_withdrawn_once() {
    let seats = || recorded("seats", "12", Source::User);
    plans()
        .given(vec![started(), seats()])
        .when(withdraw())
        .then_expect_events(vec![withdrawn()]);
    for given in [vec![started()], vec![started(), seats(), withdrawn()]] {
        plans()
            .given(given)
            .when(withdraw())
            .then_expect_events(Vec::new());
    }
}

#[test]
fn after_it_was_withdrawn_a_co_pilot_may_gather_it_again() {
    plans()
        .given(vec![
            started(),
            recorded("seats", "12", Source::User),
            withdrawn(),
        ])
        .when(record("seats", "14", Source::Model))
        .then_expect_events(vec![recorded("seats", "14", Source::Model)]);
}

#[test]
fn a_plan_holds_so_many_facts_and_no_more() {
    let full = || {
        let facts = (0..MOST_FACTS).map(|n| recorded(&format!("fact_{n}"), "x", Source::Model));
        [started()].into_iter().chain(facts).collect::<Vec<_>>()
    };
    plans()
        .given(full())
        .when(record("one_more", "x", Source::User))
        .then_expect_error(PlanRefusal::TooManyFacts);
    plans()
        .given(full())
        .when(record("fact_0", "y", Source::User))
        .then_expect_events(vec![recorded("fact_0", "y", Source::User)]);
}
