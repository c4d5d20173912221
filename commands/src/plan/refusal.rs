//! Why a plan says no.

use fido_domain::plan::{FactKey, Section};
use uuid::Uuid;

use super::MOST_FACTS;

/// Why a plan says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    /// There is none, or it is somebody else's.
    #[error("there is no such plan")]
    NotFound,
    /// It was started before.
    #[error("the plan was started before")]
    AlreadyStarted,
    /// It was put away.
    #[error("the plan is archived; restore it first")]
    Archived,
    /// The section has changed since.
    #[error("the section {} has changed: it is at revision {current}", section.as_str())]
    StaleRevision {
        /// Which section.
        section: Section,
        /// Its latest revision.
        current: u32,
    },
    /// An approved section stays as it is.
    #[error("the section {} is approved; reopen it first", section.as_str())]
    SectionApproved {
        /// Which section.
        section: Section,
    },
    /// There is nothing to approve.
    #[error("the section {} is empty", section.as_str())]
    SectionEmpty {
        /// Which section.
        section: Section,
    },
    /// There is no such text to go back to.
    #[error("the section {} has no revision {revision}", section.as_str())]
    NoSuchRevision {
        /// Which section.
        section: Section,
        /// The revision that was asked for.
        revision: u32,
    },
    /// The person said it themselves, so it is theirs to correct.
    #[error("the person entered {key} themselves; ask them to change it")]
    FactEnteredByPerson {
        /// Which fact.
        key: FactKey,
    },
    /// A plan holds no more facts.
    #[error("a plan holds at most {MOST_FACTS} facts; withdraw one first")]
    TooManyFacts,
    /// No section was named, or the person has written every one.
    #[error("there is no section to write; name those that are to be written again")]
    NothingToGenerate,
    /// One generation at a time.
    #[error("a generation is in progress; wait for it, or stop it first")]
    GenerationInProgress {
        /// Which.
        generation_id: Uuid,
    },
    /// Nobody waits for this generation (any more).
    #[error("this generation is not in progress")]
    GenerationNotOpen,
    /// The generation is about other sections.
    #[error("the generation was not asked for the section {}", section.as_str())]
    SectionNotRequested {
        /// Which section.
        section: Section,
    },
    /// Another worker has taken over since, or none has begun.
    #[error("attempt {attempt} is not the current one, {current}")]
    Superseded {
        /// The attempt of the worker that asked.
        attempt: u32,
        /// The attempt that counts; 0 when no worker has begun.
        current: u32,
    },
}
