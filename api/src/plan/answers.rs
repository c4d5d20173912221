//! Plans and sections as JSON, from a replica's rows or from the log.

use fido_commands::Committed;
use fido_commands::vault::StreamId;
use fido_domain::plan::{PerSection, PlanDocument, PlanEvent, Section as Name, SectionDocument};
use fido_domain::{FullFold, Private, Stamp};
use fido_projections::plan::{PlanSummary, SectionRow};
use schemars::JsonSchema;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stream_of;
use crate::Answer;
use crate::answer::{ETag, Shown};
use crate::problem::{Kind, Problem};

/// A plan, without what its sections say.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PlanOutline {
    /// Which.
    id: Uuid,
    /// What it is called.
    title: Shown,
    /// What the business is called.
    business_name: Option<Shown>,
    /// What trade it is in.
    industry: Option<Shown>,
    /// Where it is.
    location: Option<Shown>,
    /// How far it has come: `idea`, `startup`, `operating` or `growth`.
    stage: Option<String>,
    /// What it is about, in a few words.
    summary: Option<Shown>,
    /// `active`, or `archived`.
    status: String,
    /// How many of the nine sections have a text, in percent, rounded down.
    completion_percent: u32,
    /// When it was started.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: OffsetDateTime,
    /// When something last happened to it.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: OffsetDateTime,
}

impl From<PlanSummary> for PlanOutline {
    fn from(row: PlanSummary) -> Self {
        Self {
            completion_percent: u32::try_from(row.completion_percent()).unwrap_or(0),
            id: row.plan_id,
            title: Shown::from(&row.title),
            business_name: row.business_name.as_ref().map(Shown::from),
            industry: row.industry.as_ref().map(Shown::from),
            location: row.location.as_ref().map(Shown::from),
            stage: row.stage,
            summary: row.summary.as_ref().map(Shown::from),
            status: row.status,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl PlanOutline {
    fn from_log(id: Uuid, plan: &PlanDocument) -> Answer<Self> {
        let never = || Problem::new(Kind::Internal).because("a plan without a beginning");
        let details = &plan.details;
        Ok(Self {
            id,
            title: details.title.as_ref().map(Shown::from).ok_or_else(never)?,
            business_name: details.business_name.as_ref().map(Shown::from),
            industry: details.industry.as_ref().map(Shown::from),
            location: details.location.as_ref().map(Shown::from),
            stage: details.stage.map(|stage| stage.as_str().to_owned()),
            summary: details.summary.as_ref().map(Shown::from),
            status: plan.status.as_str().to_owned(),
            completion_percent: plan.completion_percent(),
            created_at: plan.created_at.ok_or_else(never)?,
            updated_at: plan.updated_at.ok_or_else(never)?,
        })
    }
}

/// The private content of a plan, to be opened.
pub(super) fn private_of(row: &mut PlanSummary) -> Vec<(StreamId, &mut Private<String>)> {
    let id = row.plan_id;
    [
        Some(&mut row.title),
        row.business_name.as_mut(),
        row.industry.as_mut(),
        row.location.as_mut(),
        row.summary.as_mut(),
    ]
    .into_iter()
    .flatten()
    .map(|content| (stream_of(id), content))
    .collect()
}

/// A plan.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Plan {
    #[serde(flatten)]
    outline: PlanOutline,
    /// All nine, in the order of the plan.
    sections: Vec<Section>,
}

impl Plan {
    /// As a replica shows it.
    pub(super) fn seen(plan: PlanSummary, sections: PerSection<Option<SectionRow>>) -> Self {
        let sections = sections.iter();
        Self {
            outline: plan.into(),
            sections: sections
                .map(|(name, row)| Section::seen(name, row.as_ref()))
                .collect(),
        }
    }

    /// As the log has it.
    pub(super) fn from_log(id: Uuid, plan: &PlanDocument) -> Answer<Self> {
        let sections = plan.sections.iter();
        Ok(Self {
            outline: PlanOutline::from_log(id, plan)?,
            sections: sections
                .map(|(name, section)| Section::from_log(name, section))
                .collect(),
        })
    }
}

/// The plan that has just been started, and which it is.
pub(super) fn started(committed: &Committed<PlanEvent>) -> Answer<(Uuid, PlanDocument)> {
    let (_, first) = committed.events.first().ok_or_else(|| {
        Problem::new(Kind::Internal).because("a plan was started without an event")
    })?;
    let events = committed.events.iter().map(|(event, placed)| {
        let stamp = Stamp {
            position: placed.position,
            sequence: placed.sequence,
            recorded_at: placed.recorded_at,
        };
        (event, stamp)
    });
    Ok((first.aggregate_id, PlanDocument::fold(events)))
}

/// A section of a plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanSection")]
pub(super) struct Section {
    /// Which.
    section: Name,
    /// `empty`, `drafted` by a co-pilot, `revised` by the person, or `approved`.
    status: String,
    /// What it says; empty while nobody has written it.
    text: Shown,
    /// The number of its text: 1, 2, 3 …, and 0 while it is empty.
    revision: u32,
    /// Who wrote the text: `model` or `user`; none while it is empty.
    source: Option<String>,
    /// When it last changed, approval included; none while it is empty.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    updated_at: Option<OffsetDateTime>,
}

impl Section {
    /// As a replica shows it; no row for an empty one.
    pub(super) fn seen(section: Name, row: Option<&SectionRow>) -> Self {
        let Some(row) = row else {
            return Self::from_log(section, &SectionDocument::default());
        };
        Self {
            section,
            status: row.status.clone(),
            text: Shown::from(&row.text),
            revision: u32::try_from(row.revision).unwrap_or(0),
            source: Some(row.source.clone()),
            updated_at: Some(row.updated_at),
        }
    }

    /// As the log has it.
    pub(super) fn from_log(section: Name, document: &SectionDocument) -> Self {
        let latest = document.latest();
        let nothing = Private::new(String::new());
        Self {
            section,
            status: document.status.as_str().to_owned(),
            text: Shown::from(latest.map_or(&nothing, |latest| &latest.text)),
            revision: latest.map_or(0, |latest| latest.revision),
            source: latest.map(|latest| latest.source.as_str().to_owned()),
            updated_at: document.updated_at,
        }
    }

    /// As the person has just written it.
    pub(super) fn revised(committed: &Committed<PlanEvent>) -> Option<Self> {
        let revised = committed.events.iter().find_map(|(event, placed)| {
            if let PlanEvent::SectionRevised {
                section,
                revision,
                text,
                ..
            } = event
            {
                Some((*section, *revision, text, placed.recorded_at))
            } else {
                None
            }
        });
        revised.map(|(section, revision, text, recorded_at)| Self {
            section,
            status: "revised".to_owned(),
            text: Shown::from(text),
            revision,
            source: Some("user".to_owned()),
            updated_at: Some(recorded_at),
        })
    }

    pub(super) fn etag(&self) -> ETag {
        ETag::of_section(self.revision, self.updated_at)
    }
}
