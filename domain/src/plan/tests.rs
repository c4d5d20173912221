//! The two folds of a plan: that they agree, and what each of them keeps.

use super::*;
use crate::recorded::testing::stamp;
use crate::recorded::{decode, encode};
use crate::{Evolve, FullFold};

const ADA: Uuid = Uuid::from_u128(1);
const GENERATION: Uuid = Uuid::from_u128(2);
const CONVERSATION: Uuid = Uuid::from_u128(3);
const USAGE: Usage = Usage {
    input_tokens: 100,
    output_tokens: 20,
};

fn private(text: &str) -> Private<String> {
    text.to_owned().into()
}

fn started() -> PlanEvent {
    PlanEvent::PlanStarted {
        account_id: ADA,
        title: private("The bakery"),
        business_name: Some(private("Crumb")),
        industry: Some(private("Bakeries")),
        location: None,
        stage: Some(Stage::Idea),
        summary: None,
    }
}

fn drafted(section: Section, revision: u32, text: &str) -> PlanEvent {
    PlanEvent::SectionDrafted {
        section,
        revision,
        text: private(text),
        words: 2,
        characters: 9,
        model: "m".to_owned(),
        usage: Some(USAGE),
        generation_id: Some(GENERATION),
        conversation_id: None,
    }
}

fn revised(section: Section, revision: u32, text: &str) -> PlanEvent {
    PlanEvent::SectionRevised {
        section,
        revision,
        text: private(text),
        words: 3,
        characters: 12,
    }
}

fn fact(key: &str, value: &str) -> PlanEvent {
    PlanEvent::FactRecorded {
        key: FactKey::parse(key).unwrap(),
        value: private(value),
        source: Source::Model,
        conversation_id: Some(CONVERSATION),
    }
}

/// A plan's life in which every event happens.
fn life() -> Vec<PlanEvent> {
    let summary = Section::ExecutiveSummary;
    let market = Section::MarketAnalysis;
    let bio = Section::OwnerBio;
    vec![
        started(),
        PlanEvent::PlanDescribed {
            title: None,
            business_name: None,
            industry: None,
            location: Some(private("Graz")),
            stage: Some(Stage::Startup),
            summary: None,
            cleared: vec![Detail::Industry],
        },
        fact("monthly_rent", "900 euros"),
        fact("seats", "12"),
        PlanEvent::FactWithdrawn {
            key: FactKey::parse("seats").unwrap(),
        },
        revised(bio, 1, "Ada bakes since 1999"),
        PlanEvent::GenerationRequested {
            generation_id: GENERATION,
            sections: vec![summary, market, bio],
            instructions: Some(private("Be brief")),
        },
        PlanEvent::GenerationStarted {
            generation_id: GENERATION,
            attempt: 1,
        },
        drafted(summary, 1, "Bread for Graz"),
        PlanEvent::SectionFailed {
            generation_id: GENERATION,
            section: market,
            reason: "truncated".to_owned(),
            model: Some("m".to_owned()),
            usage: None,
        },
        revised(bio, 2, "Ada bakes since 1998"),
        PlanEvent::SectionSkipped {
            generation_id: GENERATION,
            section: bio,
            reason: SkipReason::Changed,
            model: "m".to_owned(),
            usage: USAGE,
        },
        PlanEvent::GenerationCompleted {
            generation_id: GENERATION,
            attempt: 1,
            drafted: 1,
            skipped: 1,
            failed: 1,
        },
        revised(summary, 2, "Bread for all of Graz"),
        PlanEvent::SectionRestored {
            section: summary,
            revision: 3,
            from_revision: 1,
            source: Source::Model,
            words: 2,
            characters: 9,
        },
        PlanEvent::SectionApproved {
            section: summary,
            revision: 3,
        },
        PlanEvent::SectionReopened {
            section: summary,
            revision: 3,
        },
        PlanEvent::SectionApproved {
            section: bio,
            revision: 2,
        },
        PlanEvent::GenerationRequested {
            generation_id: Uuid::from_u128(4),
            sections: vec![market],
            instructions: None,
        },
        PlanEvent::GenerationFailed {
            generation_id: Uuid::from_u128(4),
            attempt: 2,
            reason: "unauthorized".to_owned(),
        },
        PlanEvent::GenerationRequested {
            generation_id: Uuid::from_u128(5),
            sections: vec![market],
            instructions: None,
        },
        PlanEvent::GenerationCancelled {
            generation_id: Uuid::from_u128(5),
        },
        PlanEvent::PlanArchived {},
        PlanEvent::PlanRestored {},
    ]
}

fn document(events: &[PlanEvent]) -> PlanDocument {
    PlanDocument::fold(events.iter().zip((1..).map(stamp)))
}

#[test]
fn every_event_reads_back_as_stored() {
    for event in life() {
        let payload = encode(&event).unwrap().to_string();
        let read: PlanEvent =
            decode(&event.event_type(), &event.event_version(), &payload).unwrap();
        assert_eq!(read, event);
    }
}

#[test]
fn both_folds_agree_after_every_event() {
    let events = life();
    for n in 0..=events.len() {
        let state = Plan::fold(&events[..n]);
        let document = document(&events[..n]);
        assert_eq!(state.owner(), document.account_id, "after {n}");
        assert_eq!(
            state.is_archived(),
            document.status == PlanStatus::Archived,
            "after {n}"
        );
        assert_eq!(state.details().stage, document.details.stage, "after {n}");
        assert_eq!(
            state.details().industry.is_some(),
            document.details.industry.is_some(),
            "after {n}"
        );
        assert_eq!(state.fact_count(), document.facts.len(), "after {n}");
        let open = document
            .generations
            .iter()
            .find(|generation| generation.ended_at.is_none());
        assert_eq!(
            state.open_generation().map(|open| open.generation_id),
            open.map(|open| open.generation_id),
            "after {n}"
        );
        for (section, read) in document.sections.iter() {
            let known = state.section(section);
            assert_eq!(known.status(), read.status, "{section:?} after {n}");
            assert_eq!(
                known
                    .latest()
                    .map(|latest| (known.revision(), latest.source, latest.words)),
                read.latest()
                    .map(|latest| (latest.revision, latest.source, latest.words)),
                "{section:?} after {n}"
            );
            if let Some(latest) = read.latest() {
                assert!(known.says(latest.text.shown()), "{section:?} after {n}");
            }
        }
    }
}

#[test]
fn a_plan_is_read_as_a_whole() {
    let plan = document(&life());
    assert_eq!(plan.details.title, Some(private("The bakery")));
    assert_eq!(plan.details.business_name, Some(private("Crumb")));
    assert_eq!(plan.details.industry, None, "cleared");
    assert_eq!(plan.details.location, Some(private("Graz")));
    assert_eq!(plan.details.stage, Some(Stage::Startup));
    assert_eq!(plan.completion_percent(), 22, "two of nine");
    assert_eq!(plan.created_at, Some(stamp(1).recorded_at));
    assert_eq!(plan.updated_at, Some(stamp(24).recorded_at));
    let facts: Vec<_> = plan.facts.keys().map(FactKey::as_str).collect();
    assert_eq!(facts, ["monthly_rent"], "the other was withdrawn");

    let summary = &plan.sections[Section::ExecutiveSummary];
    let restored = summary.latest().unwrap();
    assert_eq!(restored.text, private("Bread for Graz"), "of revision 1");
    assert_eq!(restored.restored_from, Some(1));
    assert_eq!(restored.source, Source::Model);
    assert_eq!(restored.model.as_deref(), Some("m"));
    assert_eq!(summary.status, SectionStatus::Revised, "chosen by a person");
    assert_eq!(
        plan.sections[Section::OwnerBio].status,
        SectionStatus::Approved
    );

    let generation = plan.generation(GENERATION).unwrap();
    assert_eq!(generation.status, GenerationStatus::Completed);
    assert_eq!(generation.started_at, Some(stamp(8).recorded_at));
    assert_eq!(generation.ended_at, Some(stamp(13).recorded_at));
    assert_eq!(
        generation.usage,
        USAGE.plus(USAGE),
        "of what was skipped too"
    );
    let outcomes: Vec<_> = generation
        .sections
        .iter()
        .map(|progress| (progress.outcome, progress.reason.as_deref()))
        .collect();
    assert_eq!(
        outcomes,
        [
            (Outcome::Drafted, None),
            (Outcome::Failed, Some("truncated")),
            (Outcome::Skipped, Some("changed")),
        ]
    );
}

#[test]
fn the_state_holds_no_content_and_reads_back() {
    let state = Plan::fold(&life());
    let written = serde_json::to_string(&state).unwrap();
    for content in ["bakery", "Crumb", "Graz", "900", "Ada", "brief"] {
        assert!(!written.contains(content), "{content}: {written}");
    }
    let read: Plan = serde_json::from_str(&written).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
    assert_eq!(
        read.section(Section::OwnerBio).status(),
        SectionStatus::Approved
    );
    assert!(!read.section(Section::OwnerBio).says("Ada bakes since 1998"));
}

#[test]
fn sealed_events_lead_to_the_same_decisions_but_for_repeats() {
    let sealed = PlanEvent::SectionRevised {
        section: Section::OwnerBio,
        revision: 1,
        text: Private::stored("1:section_revised.text:c"),
        words: 4,
        characters: 20,
    };
    let state = Plan::fold(&[started(), sealed]);
    let section = state.section(Section::OwnerBio);
    assert_eq!(section.revision(), 1);
    assert_eq!(section.status(), SectionStatus::Revised);
    assert!(!section.says("Ada bakes since 1999"));
}
