//! A plan: the business in nine sections, which a person and the co-pilots write together.
//!
//! What can happen to it stands here; beside it one file a concept, each with what decisions need
//! to know of the concept and with the whole of it as people read it.

mod details;
mod document;
mod facts;
mod generation;
mod sections;
mod state;

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::conversation::Usage;
use crate::upcast::newest;
use crate::{Private, StoredEvent};

pub use crate::imprint::Imprint;
pub use details::{
    BusinessName, Detail, Details, Industry, KnownDetails, Location, PlanTitle, Stage, Summary,
};
pub use document::{PlanDocument, PlanStatus};
pub use facts::{FactDocument, FactKey, FactState, FactValue};
pub use generation::{
    GenerationDocument, GenerationStatus, Instructions, OpenGeneration, Outcome, RequestedSection,
    SectionProgress, SkipReason,
};
pub use sections::{
    PerSection, Revision, RevisionDocument, Section, SectionDocument, SectionState, SectionStatus,
    SectionText,
};
pub use state::Plan;

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A language model, for a co-pilot.
    Model,
    /// A person.
    User,
}

impl Source {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::User => "user",
        }
    }
}

/// What can happen to a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum PlanEvent {
    /// A person began to plan a business.
    #[serde(rename = "plan_started")]
    PlanStarted {
        /// Whose plan it is.
        account_id: Uuid,
        /// What it is called.
        title: Private<String>,
        /// What the business is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_name: Option<Private<String>>,
        /// What trade it is in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        industry: Option<Private<String>>,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<Private<String>>,
        /// How far it has come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
        /// What it is about, in a few words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<Private<String>>,
    },
    /// The person described the business anew. Only what has changed is said: a new value, or the
    /// name of a detail that is no longer given.
    #[serde(rename = "plan_described")]
    PlanDescribed {
        /// What it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<Private<String>>,
        /// What the business is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_name: Option<Private<String>>,
        /// What trade it is in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        industry: Option<Private<String>>,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<Private<String>>,
        /// How far it has come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
        /// What it is about, in a few words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<Private<String>>,
        /// What is no longer given.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cleared: Vec<Detail>,
    },
    /// A co-pilot wrote a section.
    #[serde(rename = "section_drafted")]
    SectionDrafted {
        /// Which section.
        section: Section,
        /// The section's text is now this revision: 1, 2, 3 …
        revision: u32,
        /// What it says.
        text: Private<String>,
        /// How long it is, in words.
        words: u32,
        /// How long it is, in characters.
        characters: u32,
        /// The model that wrote it.
        model: String,
        /// What the model used; none where that stands on the reply of a conversation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// The generation that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation_id: Option<Uuid>,
        /// The conversation in which it was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<Uuid>,
    },
    /// The person wrote a section.
    #[serde(rename = "section_revised")]
    SectionRevised {
        /// Which section.
        section: Section,
        /// The section's text is now this revision.
        revision: u32,
        /// What it says.
        text: Private<String>,
        /// How long it is, in words.
        words: u32,
        /// How long it is, in characters.
        characters: u32,
    },
    /// The person went back to an earlier text. The text itself is that of the earlier revision and
    /// is not repeated.
    #[serde(rename = "section_restored")]
    SectionRestored {
        /// Which section.
        section: Section,
        /// The section's text is now this revision.
        revision: u32,
        /// The revision whose text it has.
        from_revision: u32,
        /// Who wrote that text.
        source: Source,
        /// How long it is, in words.
        words: u32,
        /// How long it is, in characters.
        characters: u32,
    },
    /// The person is content with a section: from now on its text stays as it is.
    #[serde(rename = "section_approved")]
    SectionApproved {
        /// Which section.
        section: Section,
        /// The revision that was approved.
        revision: u32,
    },
    /// The person wants to go on with an approved section.
    #[serde(rename = "section_reopened")]
    SectionReopened {
        /// Which section.
        section: Section,
        /// The revision that had been approved.
        revision: u32,
    },
    /// Something about the business became known, or known better.
    #[serde(rename = "fact_recorded")]
    FactRecorded {
        /// What about.
        key: FactKey,
        /// What is so.
        value: Private<String>,
        /// Who says so: the person, or a co-pilot who gathered it from what the person said.
        source: Source,
        /// The conversation in which it came up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<Uuid>,
    },
    /// The person took a fact back.
    #[serde(rename = "fact_withdrawn")]
    FactWithdrawn {
        /// Which.
        key: FactKey,
    },
    /// The person asked the co-pilots to write sections; workers listen for this.
    #[serde(rename = "generation_requested")]
    GenerationRequested {
        /// The generation to come.
        generation_id: Uuid,
        /// What is to be written, in the order of the plan.
        sections: Vec<Section>,
        /// What to heed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instructions: Option<Private<String>>,
    },
    /// A worker began to write. Whatever an earlier attempt still brings no longer counts.
    #[serde(rename = "generation_started")]
    GenerationStarted {
        /// Which generation.
        generation_id: Uuid,
        /// 1 for the first worker, 2 for the one that took over, …
        attempt: u32,
    },
    /// A section was written and not taken, so as not to overwrite what the person has done.
    #[serde(rename = "section_skipped")]
    SectionSkipped {
        /// The generation that it belongs to.
        generation_id: Uuid,
        /// Which section.
        section: Section,
        /// Why.
        reason: SkipReason,
        /// The model that wrote it.
        model: String,
        /// What the model used all the same.
        usage: Usage,
    },
    /// A section could not be written; the others go on.
    #[serde(rename = "section_failed")]
    SectionFailed {
        /// The generation that it belongs to.
        generation_id: Uuid,
        /// Which section.
        section: Section,
        /// Why, as a stable code such as `timeout_first_token`.
        reason: String,
        /// The model that was asked, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// What the model used all the same, if it said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
    },
    /// Every section that was asked for has been dealt with.
    #[serde(rename = "generation_completed")]
    GenerationCompleted {
        /// Which generation.
        generation_id: Uuid,
        /// The attempt that brought the last section.
        attempt: u32,
        /// How many sections were written.
        drafted: u32,
        /// How many were written and not taken.
        skipped: u32,
        /// How many could not be written.
        failed: u32,
    },
    /// Nothing more will come; sections that were written stay.
    #[serde(rename = "generation_failed")]
    GenerationFailed {
        /// Which generation.
        generation_id: Uuid,
        /// The attempt that failed last.
        attempt: u32,
        /// Why, as a stable code.
        reason: String,
    },
    /// The person stopped it; sections that were written stay.
    #[serde(rename = "generation_cancelled")]
    GenerationCancelled {
        /// Which generation.
        generation_id: Uuid,
    },
    /// The person put the plan away.
    #[serde(rename = "plan_archived")]
    PlanArchived {},
    /// The person took the plan out again.
    #[serde(rename = "plan_restored")]
    PlanRestored {},
}

impl DomainEvent for PlanEvent {
    fn event_type(&self) -> String {
        match self {
            Self::PlanStarted { .. } => "plan_started",
            Self::PlanDescribed { .. } => "plan_described",
            Self::SectionDrafted { .. } => "section_drafted",
            Self::SectionRevised { .. } => "section_revised",
            Self::SectionRestored { .. } => "section_restored",
            Self::SectionApproved { .. } => "section_approved",
            Self::SectionReopened { .. } => "section_reopened",
            Self::FactRecorded { .. } => "fact_recorded",
            Self::FactWithdrawn { .. } => "fact_withdrawn",
            Self::GenerationRequested { .. } => "generation_requested",
            Self::GenerationStarted { .. } => "generation_started",
            Self::SectionSkipped { .. } => "section_skipped",
            Self::SectionFailed { .. } => "section_failed",
            Self::GenerationCompleted { .. } => "generation_completed",
            Self::GenerationFailed { .. } => "generation_failed",
            Self::GenerationCancelled { .. } => "generation_cancelled",
            Self::PlanArchived {} => "plan_archived",
            Self::PlanRestored {} => "plan_restored",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        newest::<Self>(&self.event_type()).to_owned()
    }
}

impl StoredEvent for PlanEvent {}

#[cfg(test)]
mod tests;
