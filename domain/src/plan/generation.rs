//! A generation: co-pilots write sections that the person asked for, one outcome a section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Section;
use crate::Private;
use crate::conversation::Usage;
use crate::text::Text;

/// What a generation is to heed.
pub type Instructions = Text<4_000>;

/// Why a written section was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The person has approved the section.
    Approved,
    /// The section has changed since the generation was requested.
    Changed,
}

impl SkipReason {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Changed => "changed",
        }
    }
}

/// What has become of a section that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing yet.
    Pending,
    /// It was written.
    Drafted,
    /// It was written and not taken.
    Skipped,
    /// It could not be written.
    Failed,
}

impl Outcome {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Drafted => "drafted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// A section that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedSection {
    /// Which.
    pub section: Section,
    /// The section's revision when it was asked for; what is written replaces no other.
    pub revision: u32,
    /// What has become of it.
    pub outcome: Outcome,
}

/// The generation that is in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenGeneration {
    /// Which.
    pub generation_id: Uuid,
    /// How many workers have begun it; 0 when none has.
    pub attempt: u32,
    /// What was asked for, in the order of the plan.
    pub sections: Vec<RequestedSection>,
}

impl OpenGeneration {
    /// `section`, if it was asked for.
    pub fn requested(&self, section: Section) -> Option<&RequestedSection> {
        self.sections
            .iter()
            .find(|requested| requested.section == section)
    }

    /// What is still to be written.
    pub fn pending(&self) -> impl Iterator<Item = Section> {
        self.sections
            .iter()
            .filter(|requested| requested.outcome == Outcome::Pending)
            .map(|requested| requested.section)
    }

    /// How many sections have had this outcome so far.
    pub fn count(&self, outcome: Outcome) -> u32 {
        let with_it = self
            .sections
            .iter()
            .filter(|requested| requested.outcome == outcome);
        u32::try_from(with_it.count()).unwrap_or(u32::MAX)
    }

    pub(super) fn settle(&mut self, section: Section, outcome: Outcome) {
        for requested in &mut self.sections {
            if requested.section == section {
                requested.outcome = outcome;
            }
        }
    }
}

/// How far a generation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationStatus {
    /// Nobody has begun it.
    Requested,
    /// A worker is at it.
    Started,
    /// Every section has been dealt with.
    Completed,
    /// It was given up.
    Failed,
    /// The person stopped it.
    Cancelled,
}

impl GenerationStatus {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A section of a generation, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionProgress {
    /// Which.
    pub section: Section,
    /// What has become of it.
    pub outcome: Outcome,
    /// Why it was not taken or could not be written.
    pub reason: Option<String>,
}

/// A generation, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GenerationDocument {
    /// Which.
    pub generation_id: Uuid,
    /// How far it has come.
    pub status: GenerationStatus,
    /// How many workers have begun it.
    pub attempt: u32,
    /// What was asked for, in the order of the plan.
    pub sections: Vec<SectionProgress>,
    /// What it is to heed.
    pub instructions: Option<Private<String>>,
    /// Why it failed.
    pub reason: Option<String>,
    /// What the models used so far.
    pub usage: Usage,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
    /// When a worker first began it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// When it was completed, failed or cancelled.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
}

impl GenerationDocument {
    pub(super) fn requested(
        generation_id: Uuid,
        sections: &[Section],
        instructions: Option<Private<String>>,
        at: OffsetDateTime,
    ) -> Self {
        let pending = |section: &Section| SectionProgress {
            section: *section,
            outcome: Outcome::Pending,
            reason: None,
        };
        Self {
            generation_id,
            status: GenerationStatus::Requested,
            attempt: 0,
            sections: sections.iter().map(pending).collect(),
            instructions,
            reason: None,
            usage: Usage::default(),
            requested_at: at,
            started_at: None,
            ended_at: None,
        }
    }

    pub(super) fn start(&mut self, attempt: u32, at: OffsetDateTime) {
        self.status = GenerationStatus::Started;
        self.attempt = attempt;
        self.started_at.get_or_insert(at);
    }

    pub(super) fn settle(
        &mut self,
        section: Section,
        outcome: Outcome,
        reason: Option<&str>,
        usage: Option<Usage>,
    ) {
        for progress in &mut self.sections {
            if progress.section == section {
                progress.outcome = outcome;
                progress.reason = reason.map(str::to_owned);
            }
        }
        self.usage = self.usage.plus(usage.unwrap_or_default());
    }

    pub(super) fn end(
        &mut self,
        status: GenerationStatus,
        reason: Option<&str>,
        at: OffsetDateTime,
    ) {
        self.status = status;
        self.reason = reason.map(str::to_owned);
        self.ended_at = Some(at);
    }
}
