//! Letting co-pilots write sections: one generation at a time, each section settled once, and the
//! generation completed with the last of them.

use fido_domain::Private;
use fido_domain::conversation::Usage;
use fido_domain::plan::{
    Instructions, OpenGeneration, Outcome, Plan, PlanEvent, RequestedSection, Section,
    SectionStatus, SectionText, SkipReason,
};
use uuid::Uuid;

use super::{Decision, PlanRefusal};

/// The reason of a generation in which no section could be written.
pub const NO_SECTION_WRITTEN: &str = "no_section_written";

/// A worker's attempt at a generation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt(pub(super) Uuid, pub(super) u32);

pub(super) fn request(
    plan: &Plan,
    generation_id: Uuid,
    sections: Option<&[Section]>,
    instructions: Option<&Instructions>,
) -> Decision {
    if plan.has_settled(generation_id) {
        return Ok(Vec::new());
    }
    if let Some(open) = plan.open_generation() {
        return if open.generation_id == generation_id {
            Ok(Vec::new())
        } else {
            Err(PlanRefusal::GenerationInProgress {
                generation_id: open.generation_id,
            })
        };
    }
    let mut wanted = Vec::new();
    for section in Section::ALL {
        let status = plan.section(section).status();
        let named = sections.map(|named| named.contains(&section));
        match (named, status) {
            (Some(true), SectionStatus::Approved) => {
                return Err(PlanRefusal::SectionApproved { section });
            }
            (
                Some(true),
                SectionStatus::Empty | SectionStatus::Drafted | SectionStatus::Revised,
            )
            | (None, SectionStatus::Empty | SectionStatus::Drafted) => wanted.push(section),
            (Some(false), _) | (None, SectionStatus::Revised | SectionStatus::Approved) => {}
        }
    }
    if wanted.is_empty() {
        return Err(PlanRefusal::NothingToGenerate);
    }
    Ok(vec![PlanEvent::GenerationRequested {
        generation_id,
        sections: wanted,
        instructions: instructions.map(|text| Private::new(text.as_str().to_owned())),
    }])
}

pub(super) fn start(plan: &Plan, generation_id: Uuid) -> Decision {
    let open = awaited(plan, generation_id)?;
    Ok(vec![PlanEvent::GenerationStarted {
        generation_id,
        attempt: open.attempt + 1,
    }])
}

/// Takes a written section, unless that would overwrite what happened to it since it was asked for.
pub(super) fn record(
    plan: &Plan,
    by: Attempt,
    section: Section,
    text: &SectionText,
    model: &str,
    usage: Usage,
) -> Decision {
    settle(plan, by, section, |requested| {
        let state = plan.section(section);
        let generation_id = by.0;
        let skipped = |reason| PlanEvent::SectionSkipped {
            generation_id,
            section,
            reason,
            model: model.to_owned(),
            usage,
        };
        if state.status() == SectionStatus::Approved {
            return (Outcome::Skipped, skipped(SkipReason::Approved));
        }
        if state.revision() != requested.revision {
            return (Outcome::Skipped, skipped(SkipReason::Changed));
        }
        let drafted = PlanEvent::SectionDrafted {
            section,
            revision: state.revision() + 1,
            text: Private::new(text.as_str().to_owned()),
            words: text.words(),
            characters: text.characters(),
            model: model.to_owned(),
            usage: Some(usage),
            generation_id: Some(generation_id),
            conversation_id: None,
        };
        (Outcome::Drafted, drafted)
    })
}

pub(super) fn fail_section(
    plan: &Plan,
    by: Attempt,
    section: Section,
    reason: &str,
    model: Option<&str>,
    usage: Option<Usage>,
) -> Decision {
    settle(plan, by, section, |_| {
        let failed = PlanEvent::SectionFailed {
            generation_id: by.0,
            section,
            reason: reason.to_owned(),
            model: model.map(str::to_owned),
            usage,
        };
        (Outcome::Failed, failed)
    })
}

pub(super) fn fail(plan: &Plan, by: Attempt, reason: &str) -> Decision {
    if plan.has_settled(by.0) {
        return Ok(Vec::new());
    }
    let Attempt(generation_id, attempt) = by;
    current(awaited(plan, generation_id)?, attempt)?;
    Ok(vec![PlanEvent::GenerationFailed {
        generation_id,
        attempt,
        reason: reason.to_owned(),
    }])
}

pub(super) fn cancel(plan: &Plan, generation_id: Uuid) -> Decision {
    if plan.has_settled(generation_id) {
        return Ok(Vec::new());
    }
    awaited(plan, generation_id)?;
    Ok(vec![PlanEvent::GenerationCancelled { generation_id }])
}

/// Settles a section once: asking again changes nothing, and only the worker of the current attempt
/// may. The last section ends the generation.
fn settle(
    plan: &Plan,
    by: Attempt,
    section: Section,
    outcome: impl FnOnce(&RequestedSection) -> (Outcome, PlanEvent),
) -> Decision {
    let Attempt(generation_id, attempt) = by;
    let open = awaited(plan, generation_id)?;
    let requested = open
        .requested(section)
        .ok_or(PlanRefusal::SectionNotRequested { section })?;
    if requested.outcome != Outcome::Pending {
        return Ok(Vec::new());
    }
    current(open, attempt)?;
    let (outcome, event) = outcome(requested);
    let mut events = vec![event];
    if open.pending().all(|pending| pending == section) {
        events.push(ended(open, outcome));
    }
    Ok(events)
}

/// The end of a generation whose last section has had this outcome.
fn ended(open: &OpenGeneration, last: Outcome) -> PlanEvent {
    let count = |outcome| open.count(outcome) + u32::from(outcome == last);
    let (drafted, skipped) = (count(Outcome::Drafted), count(Outcome::Skipped));
    let (generation_id, attempt) = (open.generation_id, open.attempt);
    if drafted + skipped == 0 {
        return PlanEvent::GenerationFailed {
            generation_id,
            attempt,
            reason: NO_SECTION_WRITTEN.to_owned(),
        };
    }
    PlanEvent::GenerationCompleted {
        generation_id,
        attempt,
        drafted,
        skipped,
        failed: count(Outcome::Failed),
    }
}

fn awaited(plan: &Plan, generation_id: Uuid) -> Result<&OpenGeneration, PlanRefusal> {
    plan.open_generation()
        .filter(|open| open.generation_id == generation_id)
        .ok_or(PlanRefusal::GenerationNotOpen)
}

fn current(open: &OpenGeneration, attempt: u32) -> Result<(), PlanRefusal> {
    if open.attempt != attempt || attempt == 0 {
        return Err(PlanRefusal::Superseded {
            attempt,
            current: open.attempt,
        });
    }
    Ok(())
}
