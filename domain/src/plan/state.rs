//! What decisions about a plan need to know: no text, only that there is one and how long it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    FactKey, FactState, Imprint, KnownDetails, OpenGeneration, Outcome, PerSection, PlanEvent,
    RequestedSection, Revision, Section, SectionState, SectionStatus, Source,
};
use crate::Evolve;

/// What decisions about a plan need to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Plan {
    owner: Option<Uuid>,
    archived: bool,
    details: KnownDetails,
    sections: PerSection<SectionState>,
    facts: BTreeMap<FactKey, FactState>,
    generation: Option<OpenGeneration>,
    last_settled: Option<Uuid>,
}

impl Plan {
    /// Whose it is; none when it was never started.
    pub fn owner(&self) -> Option<Uuid> {
        self.owner
    }

    /// Whether the person has put it away.
    pub fn is_archived(&self) -> bool {
        self.archived
    }

    /// Which details are given.
    pub fn details(&self) -> &KnownDetails {
        &self.details
    }

    /// One of its sections.
    pub fn section(&self, section: Section) -> &SectionState {
        &self.sections[section]
    }

    /// The fact under `key`, if one is recorded.
    pub fn fact(&self, key: &FactKey) -> Option<FactState> {
        self.facts.get(key).copied()
    }

    /// How many facts are recorded.
    pub fn fact_count(&self) -> usize {
        self.facts.len()
    }

    /// The generation that is in progress, if one is.
    pub fn open_generation(&self) -> Option<&OpenGeneration> {
        self.generation.as_ref()
    }

    /// Whether `generation_id` was the last generation to be completed, to fail or to be cancelled.
    pub fn has_settled(&self, generation_id: Uuid) -> bool {
        self.last_settled == Some(generation_id)
    }

    fn settle_section(&mut self, generation_id: Uuid, section: Section, outcome: Outcome) {
        if let Some(open) = &mut self.generation
            && open.generation_id == generation_id
        {
            open.settle(section, outcome);
        }
    }

    fn settle(&mut self, generation_id: Uuid) {
        self.generation = None;
        self.last_settled = Some(generation_id);
    }
}

impl Evolve for Plan {
    const TYPE: &'static str = "plan";
    type Event = PlanEvent;

    fn evolve(&mut self, event: &PlanEvent) {
        match event {
            PlanEvent::PlanStarted { account_id, .. } => {
                self.owner = Some(*account_id);
                self.details.describe(event, Imprint::of);
            }
            PlanEvent::PlanDescribed { .. } => self.details.describe(event, Imprint::of),
            PlanEvent::SectionDrafted {
                section,
                revision,
                text,
                words,
                characters,
                generation_id,
                ..
            } => {
                self.sections[*section].push(Revision {
                    status: SectionStatus::Drafted,
                    source: Source::Model,
                    words: *words,
                    characters: *characters,
                    origin: *revision,
                    text: Imprint::of(text),
                });
                if let Some(generation_id) = generation_id {
                    self.settle_section(*generation_id, *section, Outcome::Drafted);
                }
            }
            PlanEvent::SectionRevised {
                section,
                revision,
                text,
                words,
                characters,
            } => self.sections[*section].push(Revision {
                status: SectionStatus::Revised,
                source: Source::User,
                words: *words,
                characters: *characters,
                origin: *revision,
                text: Imprint::of(text),
            }),
            PlanEvent::SectionRestored {
                section,
                from_revision,
                source,
                words,
                characters,
                ..
            } => {
                let section = &mut self.sections[*section];
                let from = section.at(*from_revision);
                section.push(Revision {
                    status: SectionStatus::Revised,
                    source: *source,
                    words: *words,
                    characters: *characters,
                    origin: from.map_or(*from_revision, |from| from.origin),
                    text: from.map(|from| from.text).unwrap_or_default(),
                });
            }
            PlanEvent::SectionApproved { section, .. } => self.sections[*section].approve(true),
            PlanEvent::SectionReopened { section, .. } => self.sections[*section].approve(false),
            PlanEvent::FactRecorded {
                key, value, source, ..
            } => {
                let fact = FactState {
                    source: *source,
                    value: Imprint::of(value),
                };
                self.facts.insert(key.clone(), fact);
            }
            PlanEvent::FactWithdrawn { key } => {
                self.facts.remove(key);
            }
            PlanEvent::GenerationRequested {
                generation_id,
                sections,
                ..
            } => {
                let requested = |section: &Section| RequestedSection {
                    section: *section,
                    revision: self.sections[*section].revision(),
                    outcome: Outcome::Pending,
                };
                self.generation = Some(OpenGeneration {
                    generation_id: *generation_id,
                    attempt: 0,
                    sections: sections.iter().map(requested).collect(),
                });
            }
            PlanEvent::GenerationStarted { attempt, .. } => {
                if let Some(open) = &mut self.generation {
                    open.attempt = *attempt;
                }
            }
            PlanEvent::SectionSkipped {
                generation_id,
                section,
                ..
            } => self.settle_section(*generation_id, *section, Outcome::Skipped),
            PlanEvent::SectionFailed {
                generation_id,
                section,
                ..
            } => self.settle_section(*generation_id, *section, Outcome::Failed),
            PlanEvent::GenerationCompleted { generation_id, .. }
            | PlanEvent::GenerationFailed { generation_id, .. }
            | PlanEvent::GenerationCancelled { generation_id } => self.settle(*generation_id),
            PlanEvent::PlanArchived {} => self.archived = true,
            PlanEvent::PlanRestored {} => self.archived = false,
        }
    }
}
