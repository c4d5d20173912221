//! Letting co-pilots write sections.

use fido_commands::plan::NO_SECTION_WRITTEN;
use fido_domain::plan::SkipReason;

use super::*;

fn begin() -> PlanCommand {
    PlanCommand::StartGeneration {
        generation_id: GENERATION,
    }
}

fn record(attempt: u32, section: Section, text: &str) -> PlanCommand {
    PlanCommand::RecordGeneratedSection {
        generation_id: GENERATION,
        attempt,
        section,
        text: section_text(text),
        model: "m".to_owned(),
        usage: USAGE,
    }
}

fn fail_section(attempt: u32, section: Section) -> PlanCommand {
    PlanCommand::FailGeneratedSection {
        generation_id: GENERATION,
        attempt,
        section,
        reason: "truncated".to_owned(),
        model: Some("m".to_owned()),
        usage: None,
    }
}

fn section_failed(section: Section) -> PlanEvent {
    PlanEvent::SectionFailed {
        generation_id: GENERATION,
        section,
        reason: "truncated".to_owned(),
        model: Some("m".to_owned()),
        usage: None,
    }
}

fn skipped(section: Section, reason: SkipReason) -> PlanEvent {
    PlanEvent::SectionSkipped {
        generation_id: GENERATION,
        section,
        reason,
        model: "m".to_owned(),
        usage: USAGE,
    }
}

fn completed(drafted: u32, skipped: u32, failed: u32) -> PlanEvent {
    PlanEvent::GenerationCompleted {
        generation_id: GENERATION,
        attempt: 1,
        drafted,
        skipped,
        failed,
    }
}

fn fail(attempt: u32) -> PlanCommand {
    PlanCommand::FailGeneration {
        generation_id: GENERATION,
        attempt,
        reason: "unauthorized".to_owned(),
    }
}

fn failed(attempt: u32, reason: &str) -> PlanEvent {
    PlanEvent::GenerationFailed {
        generation_id: GENERATION,
        attempt,
        reason: reason.to_owned(),
    }
}

fn cancel() -> PlanCommand {
    PlanCommand::CancelGeneration {
        account_id: ADA,
        generation_id: GENERATION,
    }
}

fn cancelled() -> PlanEvent {
    PlanEvent::GenerationCancelled {
        generation_id: GENERATION,
    }
}

/// A generation of `sections` that a worker has begun.
fn under_way(sections: &[Section]) -> Vec<PlanEvent> {
    vec![started(), requested(sections), begun(1)]
}

#[test]
fn each_worker_that_begins_is_a_new_attempt() {
    plans()
        .given(vec![started(), requested(&[MARKET])])
        .when(begin())
        .then_expect_events(vec![begun(1)]);
    plans()
        .given(under_way(&[MARKET]))
        .when(begin())
        .then_expect_events(vec![begun(2)]);
}

#[test]
fn nobody_works_on_a_generation_that_is_not_in_progress() {
    for given in [
        vec![started()],
        [under_way(&[MARKET]), vec![cancelled()]].concat(),
    ] {
        for command in [
            begin(),
            record(1, MARKET, "Students"),
            fail_section(1, MARKET),
        ] {
            plans()
                .given(given.clone())
                .when(command)
                .then_expect_error(PlanRefusal::GenerationNotOpen);
        }
    }
}

#[test]
fn a_superseded_attempt_settles_nothing() {
    for command in [
        record(1, MARKET, "Students"),
        fail_section(1, MARKET),
        fail(1),
    ] {
        plans()
            .given([under_way(&[MARKET, BIO]), vec![begun(2)]].concat())
            .when(command)
            .then_expect_error(PlanRefusal::Superseded {
                attempt: 1,
                current: 2,
            });
    }
}

#[test]
fn a_worker_that_has_not_begun_settles_nothing() {
    plans()
        .given(vec![started(), requested(&[MARKET])])
        .when(record(0, MARKET, "Students"))
        .then_expect_error(PlanRefusal::Superseded {
            attempt: 0,
            current: 0,
        });
}

#[test]
fn sections_land_one_by_one_and_the_last_completes_the_generation() {
    plans()
        .given(under_way(&[SUMMARY, MARKET]))
        .when(record(1, MARKET, "Students"))
        .then_expect_events(vec![generated(MARKET, 1, "Students")]);
    plans()
        .given(
            [
                under_way(&[SUMMARY, MARKET]),
                vec![generated(MARKET, 1, "Students")],
            ]
            .concat(),
        )
        .when(record(1, SUMMARY, "Bread"))
        .then_expect_events(vec![generated(SUMMARY, 1, "Bread"), completed(2, 0, 0)]);
}

#[test]
fn the_next_worker_goes_on_with_what_is_left() {
    let given = [
        under_way(&[SUMMARY, MARKET]),
        vec![generated(MARKET, 1, "Students"), begun(2)],
    ]
    .concat();
    let state = <Plan as fido_domain::Evolve>::fold(&given);
    let pending: Vec<_> = state.open_generation().unwrap().pending().collect();
    assert_eq!(pending, [SUMMARY]);
    plans()
        .given(given)
        .when(record(2, SUMMARY, "Bread"))
        .then_expect_events(vec![
            generated(SUMMARY, 1, "Bread"),
            PlanEvent::GenerationCompleted {
                generation_id: GENERATION,
                attempt: 2,
                drafted: 2,
                skipped: 0,
                failed: 0,
            },
        ]);
}

#[test]
fn a_section_is_settled_once_however_often_it_is_recorded() {
    for settled in [generated(MARKET, 1, "Students"), section_failed(MARKET)] {
        let given = [under_way(&[SUMMARY, MARKET]), vec![settled]].concat();
        for again in [record(1, MARKET, "Other"), fail_section(1, MARKET)] {
            plans()
                .given(given.clone())
                .when(again)
                .then_expect_events(Vec::new());
        }
    }
}

#[test]
fn a_section_that_was_not_asked_for_is_refused() {
    plans()
        .given(under_way(&[SUMMARY]))
        .when(record(1, MARKET, "Students"))
        .then_expect_error(PlanRefusal::SectionNotRequested { section: MARKET });
}

#[test]
fn what_the_person_approved_or_changed_meanwhile_is_not_overwritten() {
    let meanwhile = [
        (
            vec![revised(MARKET, 2, "Mine"), approved(MARKET, 2)],
            SkipReason::Approved,
        ),
        (vec![approved(MARKET, 1)], SkipReason::Approved),
        (vec![revised(MARKET, 2, "Mine")], SkipReason::Changed),
        (vec![drafted(MARKET, 2, "By chat")], SkipReason::Changed),
    ];
    for (events, reason) in meanwhile {
        let before = vec![
            started(),
            drafted(MARKET, 1, "Students"),
            requested(&[SUMMARY, MARKET]),
            begun(1),
        ];
        plans()
            .given([before, events].concat())
            .when(record(1, MARKET, "Tourists"))
            .then_expect_events(vec![skipped(MARKET, reason)]);
    }
}

#[test]
fn a_revised_section_that_was_named_is_written_again() {
    plans()
        .given(vec![
            started(),
            revised(MARKET, 1, "Students"),
            requested(&[MARKET]),
            begun(1),
        ])
        .when(record(1, MARKET, "Tourists"))
        .then_expect_events(vec![generated(MARKET, 2, "Tourists"), completed(1, 0, 0)]);
}

#[test]
fn a_failed_section_does_not_hold_up_the_others() {
    let given = [
        under_way(&[SUMMARY, MARKET, BIO]),
        vec![section_failed(SUMMARY), revised(BIO, 1, "Mine")],
        vec![skipped(BIO, SkipReason::Changed)],
    ];
    plans()
        .given(given.concat())
        .when(record(1, MARKET, "Students"))
        .then_expect_events(vec![generated(MARKET, 1, "Students"), completed(1, 1, 1)]);
}

#[test]
fn a_generation_without_any_section_has_failed() {
    plans()
        .given([under_way(&[SUMMARY, MARKET]), vec![section_failed(SUMMARY)]].concat())
        .when(fail_section(1, MARKET))
        .then_expect_events(vec![section_failed(MARKET), failed(1, NO_SECTION_WRITTEN)]);
}

#[test]
fn a_worker_gives_up_the_whole_once() {
    plans()
        .given(under_way(&[SUMMARY, MARKET]))
        .when(fail(1))
        .then_expect_events(vec![failed(1, "unauthorized")]);
    plans()
        .given([under_way(&[MARKET]), vec![failed(1, "unauthorized")]].concat())
        .when(fail(1))
        .then_expect_events(Vec::new());
}

#[test]
fn the_person_stops_it_once_and_keeps_what_was_written() {
    let given = [
        under_way(&[SUMMARY, MARKET]),
        vec![generated(MARKET, 1, "Students")],
    ]
    .concat();
    plans()
        .given(given.clone())
        .when(cancel())
        .then_expect_events(vec![cancelled()]);
    plans()
        .given([given.clone(), vec![cancelled()]].concat())
        .when(cancel())
        .then_expect_events(Vec::new());
    plans()
        .given([given, vec![cancelled()]].concat())
        .when(revise(MARKET, Some(1), "Tourists"))
        .then_expect_events(vec![revised(MARKET, 2, "Tourists")]);
    plans()
        .given(vec![started()])
        .when(cancel())
        .then_expect_error(PlanRefusal::GenerationNotOpen);
}

#[test]
fn putting_the_plan_away_stops_it() {
    plans()
        .given(under_way(&[MARKET]))
        .when(PlanCommand::ArchivePlan { account_id: ADA })
        .then_expect_events(vec![cancelled(), PlanEvent::PlanArchived {}]);
}
