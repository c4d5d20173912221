//! Asking co-pilots for sections.

use fido_domain::plan::Instructions;

use super::*;

fn request(generation_id: Uuid, sections: Option<&[Section]>) -> PlanCommand {
    PlanCommand::RequestGeneration {
        account_id: ADA,
        generation_id,
        sections: sections.map(<[Section]>::to_vec),
        instructions: None,
    }
}

/// A generation of the market analysis that has come to its end.
fn done() -> Vec<PlanEvent> {
    vec![
        started(),
        requested(&[MARKET]),
        begun(1),
        generated(MARKET, 1, "Students"),
        PlanEvent::GenerationCompleted {
            generation_id: GENERATION,
            attempt: 1,
            drafted: 1,
            skipped: 0,
            failed: 0,
        },
    ]
}

#[test]
fn all_that_no_person_has_written_is_asked_for_unless_sections_are_named() {
    plans()
        .given(vec![
            started(),
            drafted(SUMMARY, 1, "Bread"),
            revised(MARKET, 1, "Students"),
            drafted(BIO, 1, "Ada bakes"),
            approved(BIO, 1),
        ])
        .when(request(GENERATION, None))
        .then_expect_events(vec![requested(&[
            SUMMARY,
            Section::BusinessDescription,
            Section::ProductsAndServices,
            Section::MarketingPlan,
            Section::OperationsPlan,
            Section::FinancialProjections,
            Section::FundingRequest,
        ])]);
}

#[test]
fn named_sections_are_asked_for_once_each_in_the_order_of_the_plan() {
    plans()
        .given(vec![started(), revised(MARKET, 1, "Students")])
        .when(request(GENERATION, Some(&[BIO, MARKET, SUMMARY, MARKET])))
        .then_expect_events(vec![requested(&[SUMMARY, MARKET, BIO])]);
}

#[test]
fn instructions_go_with_the_request() {
    let command = PlanCommand::RequestGeneration {
        account_id: ADA,
        generation_id: GENERATION,
        sections: Some(vec![MARKET]),
        instructions: Some(Instructions::parse("Be brief").unwrap()),
    };
    plans()
        .given(vec![started()])
        .when(command)
        .then_expect_events(vec![PlanEvent::GenerationRequested {
            generation_id: GENERATION,
            sections: vec![MARKET],
            instructions: Some(private("Be brief")),
        }]);
}

#[test]
fn an_approved_section_is_not_asked_for() {
    plans()
        .given(vec![
            started(),
            revised(MARKET, 1, "Students"),
            approved(MARKET, 1),
        ])
        .when(request(GENERATION, Some(&[SUMMARY, MARKET])))
        .then_expect_error(PlanRefusal::SectionApproved { section: MARKET });
}

#[test]
fn a_request_for_nothing_is_refused() {
    let all_written = Section::ALL
        .into_iter()
        .map(|section| revised(section, 1, "Mine"));
    plans()
        .given([started()].into_iter().chain(all_written).collect())
        .when(request(GENERATION, None))
        .then_expect_error(PlanRefusal::NothingToGenerate);
    plans()
        .given(vec![started()])
        .when(request(GENERATION, Some(&[])))
        .then_expect_error(PlanRefusal::NothingToGenerate);
}

#[test]
fn one_generation_at_a_time() {
    plans()
        .given(vec![started(), requested(&[MARKET]), begun(1)])
        .when(request(OTHER_GENERATION, Some(&[BIO])))
        .then_expect_error(PlanRefusal::GenerationInProgress {
            generation_id: GENERATION,
        });
}

#[test]
fn the_same_request_again_changes_nothing() {
    for given in [
        vec![started(), requested(&[MARKET])],
        vec![started(), requested(&[MARKET]), begun(1)],
        done(),
    ] {
        plans()
            .given(given)
            .when(request(GENERATION, Some(&[MARKET])))
            .then_expect_events(Vec::new());
    }
    plans()
        .given(done())
        .when(request(OTHER_GENERATION, Some(&[MARKET])))
        .then_expect_events(vec![PlanEvent::GenerationRequested {
            generation_id: OTHER_GENERATION,
            sections: vec![MARKET],
            instructions: None,
        }]);
}
