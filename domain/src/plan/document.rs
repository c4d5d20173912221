//! The whole of a plan, as people read it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Details, FactDocument, FactKey, GenerationDocument, GenerationStatus, Outcome, PerSection,
    PlanEvent, RevisionDocument, SectionDocument, SectionStatus, Source,
};
use crate::{FullFold, Private, Stamp};

/// Whether a plan is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// It is.
    #[default]
    Active,
    /// The person has put it away.
    Archived,
}

impl PlanStatus {
    /// The shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

/// The whole of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PlanDocument {
    /// Whose it is; none before it was started.
    pub account_id: Option<Uuid>,
    /// What it says about the business as a whole.
    pub details: Details<Private<String>>,
    /// Whether it is in use.
    pub status: PlanStatus,
    /// All nine sections.
    pub sections: PerSection<SectionDocument>,
    /// What is known about the business.
    pub facts: BTreeMap<FactKey, FactDocument>,
    /// Every generation, in the order in which they were requested.
    pub generations: Vec<GenerationDocument>,
    /// When it was started.
    #[serde(with = "time::serde::rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
    /// When something last happened to it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub updated_at: Option<OffsetDateTime>,
    /// How long its stream is.
    pub sequence: i64,
}

impl PlanDocument {
    /// How many of the nine sections have a text, in percent, rounded down.
    pub fn completion_percent(&self) -> u32 {
        let written = self
            .sections
            .iter()
            .filter(|(_, section)| section.status != SectionStatus::Empty)
            .count();
        u32::try_from(written * 100 / self.sections.iter().count()).unwrap_or(100)
    }

    /// One of its generations.
    pub fn generation(&self, generation_id: Uuid) -> Option<&GenerationDocument> {
        self.generations
            .iter()
            .find(|generation| generation.generation_id == generation_id)
    }

    /// Lets `change` have its way with a generation, if there is such a one.
    fn change(&mut self, generation_id: Uuid, change: impl FnOnce(&mut GenerationDocument)) {
        let of_this_id =
            |generation: &&mut GenerationDocument| generation.generation_id == generation_id;
        if let Some(generation) = self.generations.iter_mut().rev().find(of_this_id) {
            change(generation);
        }
    }
}

impl FullFold for PlanDocument {
    type Event = PlanEvent;

    fn evolve(&mut self, event: &PlanEvent, stamp: Stamp) {
        let at = stamp.recorded_at;
        self.sequence = stamp.sequence;
        self.updated_at = Some(at);
        match event {
            PlanEvent::PlanStarted { account_id, .. } => {
                self.account_id = Some(*account_id);
                self.created_at = Some(at);
                self.details.describe(event, Clone::clone);
            }
            PlanEvent::PlanDescribed { .. } => self.details.describe(event, Clone::clone),
            PlanEvent::SectionDrafted {
                section,
                revision,
                text,
                words,
                characters,
                model,
                usage,
                generation_id,
                conversation_id,
            } => {
                self.sections[*section].push(RevisionDocument {
                    revision: *revision,
                    status: SectionStatus::Drafted,
                    source: Source::Model,
                    text: text.clone(),
                    words: *words,
                    characters: *characters,
                    model: Some(model.clone()),
                    restored_from: None,
                    generation_id: *generation_id,
                    conversation_id: *conversation_id,
                    recorded_at: at,
                });
                if let Some(generation_id) = generation_id {
                    self.change(*generation_id, |generation| {
                        generation.settle(*section, Outcome::Drafted, None, *usage);
                    });
                }
            }
            PlanEvent::SectionRevised {
                section,
                revision,
                text,
                words,
                characters,
            } => self.sections[*section].push(RevisionDocument {
                revision: *revision,
                status: SectionStatus::Revised,
                source: Source::User,
                text: text.clone(),
                words: *words,
                characters: *characters,
                model: None,
                restored_from: None,
                generation_id: None,
                conversation_id: None,
                recorded_at: at,
            }),
            PlanEvent::SectionRestored {
                section,
                revision,
                from_revision,
                source,
                words,
                characters,
            } => {
                let section = &mut self.sections[*section];
                // `decide` lets nobody restore what is not there.
                if let Some(from) = section.at(*from_revision) {
                    let restored = RevisionDocument {
                        revision: *revision,
                        status: SectionStatus::Revised,
                        source: *source,
                        text: from.text.clone(),
                        words: *words,
                        characters: *characters,
                        model: from.model.clone(),
                        restored_from: Some(*from_revision),
                        generation_id: None,
                        conversation_id: None,
                        recorded_at: at,
                    };
                    section.push(restored);
                }
            }
            PlanEvent::SectionApproved { section, .. } => self.sections[*section].approve(true, at),
            PlanEvent::SectionReopened { section, .. } => {
                self.sections[*section].approve(false, at);
            }
            PlanEvent::FactRecorded {
                key,
                value,
                source,
                conversation_id,
            } => {
                let fact = FactDocument {
                    value: value.clone(),
                    source: *source,
                    conversation_id: *conversation_id,
                    recorded_at: at,
                };
                self.facts.insert(key.clone(), fact);
            }
            PlanEvent::FactWithdrawn { key } => {
                self.facts.remove(key);
            }
            PlanEvent::GenerationRequested {
                generation_id,
                sections,
                instructions,
            } => self.generations.push(GenerationDocument::requested(
                *generation_id,
                sections,
                instructions.clone(),
                at,
            )),
            PlanEvent::GenerationStarted {
                generation_id,
                attempt,
            } => self.change(*generation_id, |generation| generation.start(*attempt, at)),
            PlanEvent::SectionSkipped {
                generation_id,
                section,
                reason,
                usage,
                ..
            } => self.change(*generation_id, |generation| {
                let reason = Some(reason.as_str());
                generation.settle(*section, Outcome::Skipped, reason, Some(*usage));
            }),
            PlanEvent::SectionFailed {
                generation_id,
                section,
                reason,
                usage,
                ..
            } => self.change(*generation_id, |generation| {
                generation.settle(*section, Outcome::Failed, Some(reason), *usage);
            }),
            PlanEvent::GenerationCompleted { generation_id, .. } => {
                self.change(*generation_id, |generation| {
                    generation.end(GenerationStatus::Completed, None, at);
                });
            }
            PlanEvent::GenerationFailed {
                generation_id,
                reason,
                ..
            } => self.change(*generation_id, |generation| {
                generation.end(GenerationStatus::Failed, Some(reason), at);
            }),
            PlanEvent::GenerationCancelled { generation_id } => {
                self.change(*generation_id, |generation| {
                    generation.end(GenerationStatus::Cancelled, None, at);
                });
            }
            PlanEvent::PlanArchived {} => self.status = PlanStatus::Archived,
            PlanEvent::PlanRestored {} => self.status = PlanStatus::Active,
        }
    }
}
