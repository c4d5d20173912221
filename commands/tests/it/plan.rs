//! What may happen to a plan: here that it is started, described and put away.

mod facts;
mod generation;
mod request;
mod sections;

use cqrs_es::test::TestFramework;
use fido_commands::decide::Decider;
use fido_commands::plan::{Change, Changes, Given, PlanCommand, PlanRefusal};
use fido_domain::Private;
use fido_domain::conversation::Usage;
use fido_domain::plan::{
    Detail, FactKey, FactValue, Plan, PlanEvent, PlanStatus, PlanTitle, Section, SectionText,
    Source, Stage,
};
use fido_domain::text::{Line, Text};
use uuid::Uuid;

const ADA: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);
const GENERATION: Uuid = Uuid::from_u128(3);
const OTHER_GENERATION: Uuid = Uuid::from_u128(4);
const CONVERSATION: Uuid = Uuid::from_u128(5);
const USAGE: Usage = Usage {
    input_tokens: 500,
    output_tokens: 60,
};
const SUMMARY: Section = Section::ExecutiveSummary;
const MARKET: Section = Section::MarketAnalysis;
const BIO: Section = Section::OwnerBio;

fn plans() -> TestFramework<Decider<Plan>> {
    TestFramework::with(())
}

fn private(text: &str) -> Private<String> {
    text.to_owned().into()
}

fn section_text(text: &str) -> SectionText {
    SectionText::parse(text).unwrap()
}

fn words(text: &str) -> u32 {
    section_text(text).words()
}

fn characters(text: &str) -> u32 {
    section_text(text).characters()
}

fn started() -> PlanEvent {
    PlanEvent::PlanStarted {
        account_id: ADA,
        title: private("The bakery"),
        business_name: None,
        industry: Some(private("Bakeries")),
        location: None,
        stage: Some(Stage::Idea),
        summary: None,
    }
}

fn described(title: Option<Private<String>>, summary: Option<Private<String>>) -> PlanEvent {
    PlanEvent::PlanDescribed {
        title,
        business_name: None,
        industry: None,
        location: None,
        stage: None,
        summary,
        cleared: Vec::new(),
    }
}

fn requested(sections: &[Section]) -> PlanEvent {
    PlanEvent::GenerationRequested {
        generation_id: GENERATION,
        sections: sections.to_vec(),
        instructions: None,
    }
}

fn begun(attempt: u32) -> PlanEvent {
    PlanEvent::GenerationStarted {
        generation_id: GENERATION,
        attempt,
    }
}

/// What a co-pilot wrote in the generation.
fn generated(section: Section, revision: u32, text: &str) -> PlanEvent {
    PlanEvent::SectionDrafted {
        section,
        revision,
        text: private(text),
        words: words(text),
        characters: characters(text),
        model: "m".to_owned(),
        usage: Some(USAGE),
        generation_id: Some(GENERATION),
        conversation_id: None,
    }
}

/// What a co-pilot wrote in a conversation.
fn drafted(section: Section, revision: u32, text: &str) -> PlanEvent {
    PlanEvent::SectionDrafted {
        section,
        revision,
        text: private(text),
        words: words(text),
        characters: characters(text),
        model: "m".to_owned(),
        usage: None,
        generation_id: None,
        conversation_id: Some(CONVERSATION),
    }
}

fn revised(section: Section, revision: u32, text: &str) -> PlanEvent {
    PlanEvent::SectionRevised {
        section,
        revision,
        text: private(text),
        words: words(text),
        characters: characters(text),
    }
}

fn approved(section: Section, revision: u32) -> PlanEvent {
    PlanEvent::SectionApproved { section, revision }
}

fn describe(account_id: Uuid, changes: Changes) -> PlanCommand {
    PlanCommand::DescribePlan {
        account_id,
        changes,
    }
}

fn draft(section: Section, based_on: u32, text: &str) -> PlanCommand {
    PlanCommand::DraftSection {
        account_id: ADA,
        section,
        based_on,
        text: section_text(text),
        model: "m".to_owned(),
        conversation_id: CONVERSATION,
    }
}

fn revise(section: Section, expected: Option<u32>, text: &str) -> PlanCommand {
    PlanCommand::ReviseSection {
        account_id: ADA,
        section,
        expected,
        text: section_text(text),
    }
}

fn key(key: &str) -> FactKey {
    FactKey::parse(key).unwrap()
}

/// Everything that a person may ask, as `account_id`.
fn asked_by(account_id: Uuid) -> Vec<PlanCommand> {
    let (section, expected) = (MARKET, None);
    vec![
        describe(account_id, Changes::default()),
        PlanCommand::DraftSection {
            account_id,
            section,
            based_on: 0,
            text: section_text("Students"),
            model: "m".to_owned(),
            conversation_id: CONVERSATION,
        },
        PlanCommand::ReviseSection {
            account_id,
            section,
            expected,
            text: section_text("Students"),
        },
        PlanCommand::RestoreRevision {
            account_id,
            section,
            expected,
            revision: 1,
        },
        PlanCommand::ApproveSection {
            account_id,
            section,
            expected,
        },
        PlanCommand::ReopenSection {
            account_id,
            section,
            expected: None,
        },
        PlanCommand::RecordFact {
            account_id,
            key: key("seats"),
            value: FactValue::parse("12").unwrap(),
            source: Source::User,
            conversation_id: None,
        },
        PlanCommand::WithdrawFact {
            account_id,
            key: key("seats"),
        },
        PlanCommand::RequestGeneration {
            account_id,
            generation_id: GENERATION,
            sections: None,
            instructions: None,
        },
        PlanCommand::CancelGeneration {
            account_id,
            generation_id: GENERATION,
        },
        PlanCommand::ArchivePlan { account_id },
        PlanCommand::RestorePlan { account_id },
    ]
}

#[test]
fn a_plan_begins_with_what_is_known() {
    let start = PlanCommand::StartPlan {
        account_id: ADA,
        given: Given {
            title: PlanTitle::parse("The bakery").unwrap(),
            business_name: None,
            industry: Some(Line::parse("Bakeries").unwrap()),
            location: None,
            stage: Some(Stage::Idea),
            summary: None,
        },
    };
    plans()
        .given_no_previous_events()
        .when(start.clone())
        .then_expect_events(vec![started()]);
    plans()
        .given(vec![started()])
        .when(start)
        .then_expect_error(PlanRefusal::AlreadyStarted);
}

#[test]
fn somebody_elses_plan_does_not_exist() {
    for command in asked_by(BOB) {
        for given in [Vec::new(), vec![started()]] {
            plans()
                .given(given)
                .when(command.clone())
                .then_expect_error(PlanRefusal::NotFound);
        }
    }
}

#[test]
fn only_what_is_different_is_described() {
    let changes = Changes {
        title: Some(PlanTitle::parse("The bakery").unwrap()),
        business_name: Change::To(Line::parse("Crumb").unwrap()),
        industry: Change::Clear,
        location: Change::Clear,
        stage: Change::To(Stage::Idea),
        summary: Change::Keep,
        status: None,
    };
    plans()
        .given(vec![started()])
        .when(describe(ADA, changes))
        .then_expect_events(vec![PlanEvent::PlanDescribed {
            title: None,
            business_name: Some(private("Crumb")),
            industry: None,
            location: None,
            stage: None,
            summary: None,
            cleared: vec![Detail::Industry],
        }]);
}

#[test]
fn describing_a_plan_as_it_is_changes_nothing() {
    let summary = "Bread for Graz";
    let same = Changes {
        title: Some(PlanTitle::parse("The bakery").unwrap()),
        business_name: Change::Clear,
        industry: Change::To(Line::parse("Bakeries").unwrap()),
        location: Change::Clear,
        stage: Change::To(Stage::Idea),
        summary: Change::To(Text::parse(summary).unwrap()),
        status: None,
    };
    let with_summary = described(None, Some(private(summary)));
    plans()
        .given(vec![started(), with_summary])
        .when(describe(ADA, same))
        .then_expect_events(Vec::new());
    plans()
        .given(vec![started()])
        .when(describe(ADA, Changes::default()))
        .then_expect_events(Vec::new());
}

#[test]
fn a_plan_is_taken_out_before_it_is_described_and_put_away_after_that() {
    let with_status = |status, title: &str| Changes {
        title: Some(PlanTitle::parse(title).unwrap()),
        status: Some(status),
        ..Changes::default()
    };
    let archived = PlanEvent::PlanArchived {};
    let renamed = || described(Some(private("The mill")), None);
    plans()
        .given(vec![started()])
        .when(describe(ADA, with_status(PlanStatus::Archived, "The mill")))
        .then_expect_events(vec![renamed(), archived.clone()]);
    plans()
        .given(vec![started(), archived.clone()])
        .when(describe(ADA, with_status(PlanStatus::Active, "The mill")))
        .then_expect_events(vec![PlanEvent::PlanRestored {}, renamed()]);
    plans()
        .given(vec![started(), archived.clone()])
        .when(describe(ADA, with_status(PlanStatus::Archived, "The mill")))
        .then_expect_error(PlanRefusal::Archived);
    plans()
        .given(vec![started(), archived])
        .when(describe(
            ADA,
            with_status(PlanStatus::Archived, "The bakery"),
        ))
        .then_expect_events(Vec::new());
}

#[test]
fn what_cannot_be_read_any_more_can_be_said_again() {
    let erased = PlanEvent::PlanStarted {
        account_id: ADA,
        title: Private::Erased,
        business_name: None,
        industry: None,
        location: None,
        stage: None,
        summary: None,
    };
    let changes = Changes {
        title: Some(PlanTitle::parse("The bakery").unwrap()),
        ..Changes::default()
    };
    plans()
        .given(vec![erased])
        .when(describe(ADA, changes))
        .then_expect_events(vec![described(Some(private("The bakery")), None)]);
}

#[test]
fn a_plan_is_put_away_once_and_taken_out_once() {
    let (archive, restore) = (
        PlanCommand::ArchivePlan { account_id: ADA },
        PlanCommand::RestorePlan { account_id: ADA },
    );
    plans()
        .given(vec![started()])
        .when(archive.clone())
        .then_expect_events(vec![PlanEvent::PlanArchived {}]);
    plans()
        .given(vec![started(), PlanEvent::PlanArchived {}])
        .when(archive)
        .then_expect_events(Vec::new());
    plans()
        .given(vec![started(), PlanEvent::PlanArchived {}])
        .when(restore.clone())
        .then_expect_events(vec![PlanEvent::PlanRestored {}]);
    plans()
        .given(vec![started()])
        .when(restore)
        .then_expect_events(Vec::new());
}

#[test]
fn an_archived_plan_refuses_whatever_would_change_it() {
    for command in asked_by(ADA) {
        let allowed = matches!(
            command,
            PlanCommand::CancelGeneration { .. }
                | PlanCommand::ArchivePlan { .. }
                | PlanCommand::RestorePlan { .. }
        );
        if !allowed {
            plans()
                .given(vec![started(), PlanEvent::PlanArchived {}])
                .when(command)
                .then_expect_error(PlanRefusal::Archived);
        }
    }
}

#[test]
fn a_restored_plan_goes_on_where_it_was() {
    plans()
        .given(vec![
            started(),
            revised(MARKET, 1, "Students"),
            PlanEvent::PlanArchived {},
            PlanEvent::PlanRestored {},
        ])
        .when(revise(MARKET, Some(1), "Commuters"))
        .then_expect_events(vec![revised(MARKET, 2, "Commuters")]);
}
