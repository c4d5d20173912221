//! Writing sections: drafts, revisions, approval.

use super::*;

fn restore(expected: Option<u32>, revision: u32) -> PlanCommand {
    PlanCommand::RestoreRevision {
        account_id: ADA,
        section: MARKET,
        expected,
        revision,
    }
}

fn restored(revision: u32, from_revision: u32, source: Source, text: &str) -> PlanEvent {
    PlanEvent::SectionRestored {
        section: MARKET,
        revision,
        from_revision,
        source,
        words: words(text),
        characters: characters(text),
    }
}

fn approve(expected: Option<u32>) -> PlanCommand {
    PlanCommand::ApproveSection {
        account_id: ADA,
        section: MARKET,
        expected,
    }
}

fn reopen() -> PlanCommand {
    PlanCommand::ReopenSection {
        account_id: ADA,
        section: MARKET,
        expected: None,
    }
}

fn reopened(revision: u32) -> PlanEvent {
    PlanEvent::SectionReopened {
        section: MARKET,
        revision,
    }
}

const STALE: PlanRefusal = PlanRefusal::StaleRevision {
    section: MARKET,
    current: 2,
};
const APPROVED: PlanRefusal = PlanRefusal::SectionApproved { section: MARKET };

#[test]
fn revisions_are_counted_section_by_section() {
    plans()
        .given(vec![
            started(),
            revised(MARKET, 1, "Students"),
            drafted(Section::OwnerBio, 1, "Ada bakes"),
        ])
        .when(revise(MARKET, Some(1), "Students and  commuters"))
        .then_expect_events(vec![PlanEvent::SectionRevised {
            section: MARKET,
            revision: 2,
            text: private("Students and  commuters"),
            words: 3,
            characters: 23,
        }]);
}

#[test]
fn an_empty_section_is_at_revision_0() {
    plans()
        .given(vec![started()])
        .when(revise(MARKET, Some(0), "Students"))
        .then_expect_events(vec![revised(MARKET, 1, "Students")]);
}

#[test]
fn whoever_has_not_seen_the_latest_revision_does_not_replace_it() {
    let given = || {
        vec![
            started(),
            revised(MARKET, 1, "Students"),
            drafted(MARKET, 2, "Students and commuters"),
        ]
    };
    for command in [
        revise(MARKET, Some(1), "Tourists"),
        draft(MARKET, 1, "Tourists"),
        draft(MARKET, 3, "Tourists"),
        restore(Some(1), 1),
        approve(Some(1)),
    ] {
        plans()
            .given(given())
            .when(command)
            .then_expect_error(STALE);
    }
    plans()
        .given(given())
        .when(revise(MARKET, None, "Tourists"))
        .then_expect_events(vec![revised(MARKET, 3, "Tourists")]);
}

#[test]
fn the_same_text_again_is_no_new_revision() {
    let given = vec![
        started(),
        revised(MARKET, 1, "Students"),
        revised(MARKET, 2, "Commuters"),
    ];
    for again in [
        revise(MARKET, Some(2), "Commuters"),
        revise(MARKET, Some(1), "Commuters"),
        draft(MARKET, 1, "Commuters"),
    ] {
        plans()
            .given(given.clone())
            .when(again)
            .then_expect_events(Vec::new());
    }
    plans()
        .given(given)
        .when(revise(MARKET, Some(2), "Students"))
        .then_expect_events(vec![revised(MARKET, 3, "Students")]);
}

#[test]
fn a_co_pilot_drafts_on_what_it_has_read() {
    plans()
        .given(vec![started(), revised(MARKET, 1, "Students")])
        .when(draft(MARKET, 1, "Students and commuters"))
        .then_expect_events(vec![drafted(MARKET, 2, "Students and commuters")]);
}

#[test]
fn an_approved_section_stays_as_it_is() {
    for command in [
        revise(MARKET, Some(2), "Tourists"),
        revise(MARKET, None, "Tourists"),
        draft(MARKET, 2, "Tourists"),
        restore(Some(2), 1),
    ] {
        plans()
            .given(vec![
                started(),
                revised(MARKET, 1, "Students"),
                drafted(MARKET, 2, "Commuters"),
                approved(MARKET, 2),
            ])
            .when(command)
            .then_expect_error(APPROVED);
    }
}

#[test]
fn a_reopened_section_is_written_again() {
    plans()
        .given(vec![
            started(),
            revised(MARKET, 1, "Students"),
            approved(MARKET, 1),
            reopened(1),
        ])
        .when(revise(MARKET, Some(1), "Tourists"))
        .then_expect_events(vec![revised(MARKET, 2, "Tourists")]);
}

#[test]
fn a_section_is_approved_once() {
    plans()
        .given(vec![started(), drafted(MARKET, 1, "Students")])
        .when(approve(Some(1)))
        .then_expect_events(vec![approved(MARKET, 1)]);
    plans()
        .given(vec![
            started(),
            drafted(MARKET, 1, "Students"),
            approved(MARKET, 1),
        ])
        .when(approve(Some(1)))
        .then_expect_events(Vec::new());
}

#[test]
fn an_empty_section_is_not_approved() {
    plans()
        .given(vec![started()])
        .when(approve(None))
        .then_expect_error(PlanRefusal::SectionEmpty { section: MARKET });
}

#[test]
fn only_an_approved_section_is_reopened() {
    plans()
        .given(vec![
            started(),
            drafted(MARKET, 1, "Students"),
            approved(MARKET, 1),
        ])
        .when(reopen())
        .then_expect_events(vec![reopened(1)]);
    for given in [
        vec![started()],
        vec![started(), drafted(MARKET, 1, "Students")],
        vec![
            started(),
            drafted(MARKET, 1, "Students"),
            approved(MARKET, 1),
            reopened(1),
        ],
    ] {
        plans()
            .given(given)
            .when(reopen())
            .then_expect_events(Vec::new());
    }
}

#[test]
fn an_earlier_text_comes_back_as_a_new_revision() {
    plans()
        .given(vec![
            started(),
            drafted(MARKET, 1, "Students and commuters"),
            revised(MARKET, 2, "Tourists"),
        ])
        .when(restore(Some(2), 1))
        .then_expect_events(vec![restored(
            3,
            1,
            Source::Model,
            "Students and commuters",
        )]);
}

#[test]
fn what_is_there_already_is_not_restored() {
    let given = vec![
        started(),
        drafted(MARKET, 1, "Students"),
        revised(MARKET, 2, "Tourists"),
        restored(3, 1, Source::Model, "Students"),
    ];
    for again in [restore(Some(2), 1), restore(None, 3)] {
        plans()
            .given(given.clone())
            .when(again)
            .then_expect_events(Vec::new());
    }
    // Nor does writing the restored text make a revision of it.
    plans()
        .given(given.clone())
        .when(revise(MARKET, Some(3), "Students"))
        .then_expect_events(Vec::new());
    plans()
        .given(given)
        .when(restore(Some(3), 2))
        .then_expect_events(vec![restored(4, 2, Source::User, "Tourists")]);
}

#[test]
fn a_revision_that_never_was_is_not_restored() {
    for revision in [0, 2] {
        plans()
            .given(vec![started(), drafted(MARKET, 1, "Students")])
            .when(restore(None, revision))
            .then_expect_error(PlanRefusal::NoSuchRevision {
                section: MARKET,
                revision,
            });
    }
}
