//! Writing the sections of a plan.

use fido_domain::Private;
use fido_domain::plan::{Plan, PlanEvent, Section, SectionState, SectionStatus, SectionText};
use uuid::Uuid;

use super::{Decision, PlanRefusal, events_if};

/// A co-pilot replaces only what it has read, and never what the person has approved.
pub(super) fn draft(
    plan: &Plan,
    section: Section,
    based_on: u32,
    text: &SectionText,
    model: &str,
    conversation_id: Uuid,
) -> Decision {
    let state = plan.section(section);
    if state.says(text.as_str()) {
        return Ok(Vec::new());
    }
    expect(state, section, Some(based_on))?;
    not_approved(state, section)?;
    Ok(vec![PlanEvent::SectionDrafted {
        section,
        revision: state.revision() + 1,
        text: Private::new(text.as_str().to_owned()),
        words: text.words(),
        characters: text.characters(),
        model: model.to_owned(),
        usage: None,
        generation_id: None,
        conversation_id: Some(conversation_id),
    }])
}

pub(super) fn revise(
    plan: &Plan,
    section: Section,
    expected: Option<u32>,
    text: &SectionText,
) -> Decision {
    let state = plan.section(section);
    // Whoever asks again names the revision before; that their text is there is all they want to know.
    if state.says(text.as_str()) {
        return Ok(Vec::new());
    }
    expect(state, section, expected)?;
    not_approved(state, section)?;
    Ok(vec![PlanEvent::SectionRevised {
        section,
        revision: state.revision() + 1,
        text: Private::new(text.as_str().to_owned()),
        words: text.words(),
        characters: text.characters(),
    }])
}

pub(super) fn restore(
    plan: &Plan,
    section: Section,
    expected: Option<u32>,
    revision: u32,
) -> Decision {
    let state = plan.section(section);
    let (Some(from), Some(latest)) = (state.at(revision), state.latest()) else {
        return Err(PlanRefusal::NoSuchRevision { section, revision });
    };
    if latest.origin == from.origin {
        return Ok(Vec::new());
    }
    expect(state, section, expected)?;
    not_approved(state, section)?;
    Ok(vec![PlanEvent::SectionRestored {
        section,
        revision: state.revision() + 1,
        from_revision: revision,
        source: from.source,
        words: from.words,
        characters: from.characters,
    }])
}

pub(super) fn approve(plan: &Plan, section: Section, expected: Option<u32>) -> Decision {
    let state = plan.section(section);
    let revision = state.revision();
    expect(state, section, expected)?;
    match state.status() {
        SectionStatus::Empty => Err(PlanRefusal::SectionEmpty { section }),
        SectionStatus::Approved => Ok(Vec::new()),
        SectionStatus::Drafted | SectionStatus::Revised => {
            Ok(vec![PlanEvent::SectionApproved { section, revision }])
        }
    }
}

pub(super) fn reopen(plan: &Plan, section: Section, expected: Option<u32>) -> Decision {
    let state = plan.section(section);
    expect(state, section, expected)?;
    let approved = state.status() == SectionStatus::Approved;
    Ok(events_if(approved, || PlanEvent::SectionReopened {
        section,
        revision: state.revision(),
    }))
}

fn expect(
    state: &SectionState,
    section: Section,
    expected: Option<u32>,
) -> Result<(), PlanRefusal> {
    let current = state.revision();
    match expected {
        Some(expected) if expected != current => {
            Err(PlanRefusal::StaleRevision { section, current })
        }
        Some(_) | None => Ok(()),
    }
}

fn not_approved(state: &SectionState, section: Section) -> Result<(), PlanRefusal> {
    if state.status() == SectionStatus::Approved {
        return Err(PlanRefusal::SectionApproved { section });
    }
    Ok(())
}
