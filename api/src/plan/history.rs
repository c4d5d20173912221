//! Who changed what in a plan, and when. It says which part was changed, never what it says.

use axum::extract::State;
use fido_domain::plan::{Detail, PlanEvent, Section as Name};
use fido_domain::{Position, Private, Recorded};
use fido_projections::plan as seen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::part;
use crate::answer::{At, Found, Limit, Page};
use crate::cursor::Cursor;
use crate::extract::{Id, MinPosition, Query};
use crate::identity::SignedIn;
use crate::{Answer, App};

/// A change of a plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanChange")]
pub(super) struct Change {
    /// Where it stands in the log; `GET /v1/plans/{plan_id}?at=` shows the plan after it.
    position: Position,
    /// Its place among the changes of the plan: 1, 2, 3 …
    sequence: i64,
    /// What happened, as in the live stream: `section_revised`, `plan_archived` …
    event: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    recorded_at: OffsetDateTime,
    /// Who did it.
    actor: Actor,
    #[serde(flatten)]
    what: What,
}

/// Who did something.
#[derive(Debug, Serialize, JsonSchema)]
struct Actor {
    /// The account that acted; none for Fido itself.
    account_id: Option<Uuid>,
    /// `user`, or `system:<part>` such as `system:copilot`.
    role: String,
}

/// What it was about, as far as there is something to say.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct What {
    /// Which section.
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<Name>,
    /// Which text of the section.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    /// The text that the person went back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_from: Option<u32>,
    /// Which fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    fact: Option<String>,
    /// Which details of the business.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<&'static str>,
    /// Which generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_id: Option<Uuid>,
    /// The conversation in which it came up.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<Uuid>,
    /// The model that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Why, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Change {
    fn of(recorded: &Recorded) -> Answer<Self> {
        let actor = recorded.metadata()?.actor;
        Ok(Self {
            position: recorded.position,
            sequence: recorded.sequence,
            event: recorded.event_type.clone(),
            recorded_at: recorded.recorded_at,
            actor: Actor {
                account_id: actor.account,
                role: actor.role,
            },
            what: What::of(recorded.event()?),
        })
    }
}

impl What {
    fn of(event: PlanEvent) -> Self {
        match event {
            PlanEvent::PlanStarted {
                business_name,
                industry,
                location,
                stage,
                summary,
                ..
            } => Self::about(
                [Some("title"), stage.map(|_| "stage")],
                [business_name, industry, location, summary],
                &[],
            ),
            PlanEvent::PlanDescribed {
                title,
                business_name,
                industry,
                location,
                stage,
                summary,
                cleared,
            } => Self::about(
                [title.map(|_| "title"), stage.map(|_| "stage")],
                [business_name, industry, location, summary],
                &cleared,
            ),
            PlanEvent::SectionDrafted {
                section,
                revision,
                model,
                generation_id,
                conversation_id,
                ..
            } => Self {
                model: Some(model),
                generation_id,
                conversation_id,
                ..Self::text(section, revision)
            },
            PlanEvent::SectionRevised {
                section, revision, ..
            }
            | PlanEvent::SectionApproved { section, revision }
            | PlanEvent::SectionReopened { section, revision } => Self::text(section, revision),
            PlanEvent::SectionRestored {
                section,
                revision,
                from_revision,
                ..
            } => Self {
                restored_from: Some(from_revision),
                ..Self::text(section, revision)
            },
            PlanEvent::FactRecorded {
                key,
                conversation_id,
                ..
            } => Self {
                fact: Some(key.into()),
                conversation_id,
                ..Self::default()
            },
            PlanEvent::FactWithdrawn { key } => Self {
                fact: Some(key.into()),
                ..Self::default()
            },
            PlanEvent::GenerationRequested { generation_id, .. }
            | PlanEvent::GenerationStarted { generation_id, .. }
            | PlanEvent::GenerationCompleted { generation_id, .. }
            | PlanEvent::GenerationCancelled { generation_id } => Self::generation(generation_id),
            PlanEvent::SectionSkipped {
                generation_id,
                section,
                reason,
                model,
                ..
            } => Self {
                section: Some(section),
                reason: Some(reason.as_str().to_owned()),
                model: Some(model),
                ..Self::generation(generation_id)
            },
            PlanEvent::SectionFailed {
                generation_id,
                section,
                reason,
                model,
                ..
            } => Self {
                section: Some(section),
                reason: Some(reason),
                model,
                ..Self::generation(generation_id)
            },
            PlanEvent::GenerationFailed {
                generation_id,
                reason,
                ..
            } => Self {
                reason: Some(reason),
                ..Self::generation(generation_id)
            },
            PlanEvent::PlanArchived {} | PlanEvent::PlanRestored {} => Self::default(),
        }
    }

    fn text(section: Name, revision: u32) -> Self {
        Self {
            section: Some(section),
            revision: Some(revision),
            ..Self::default()
        }
    }

    fn generation(generation_id: Uuid) -> Self {
        Self {
            generation_id: Some(generation_id),
            ..Self::default()
        }
    }

    /// Details that are given or cleared; `texts` are business name, industry, location and summary.
    fn about(
        named: [Option<&'static str>; 2],
        texts: [Option<Private<String>>; 4],
        cleared: &[Detail],
    ) -> Self {
        let names = ["business_name", "industry", "location", "summary"];
        let texts = names.into_iter().zip(texts);
        let given = texts.filter_map(|(name, text)| text.map(|_| name));
        let cleared = cleared.iter().map(|detail| match detail {
            Detail::BusinessName => "business_name",
            Detail::Industry => "industry",
            Detail::Location => "location",
            Detail::Stage => "stage",
            Detail::Summary => "summary",
        });
        let named = named.into_iter().flatten();
        Self {
            details: named.chain(given).chain(cleared).collect(),
            ..Self::default()
        }
    }
}

/// The parameters of `GET /v1/plans/{plan_id}/history`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// How many.
    #[serde(default)]
    limit: Limit,
    /// The `next` of the page before.
    cursor: Option<Cursor<Position>>,
}

pub(super) async fn list(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<Found<Page<Change>>> {
    let account = who.account_id;
    let (before, limit) = (asked.cursor.map(|Cursor(last)| last), asked.limit.rows());
    let look = |mut snapshot| async move {
        seen::history(&mut snapshot, account, id, before, limit).await
    };
    let (position, _, events) = part(&api, account, id, at_least, look).await?;
    let page = Page::try_of(
        events,
        asked.limit,
        |event| event.position,
        |event| Change::of(&event),
    )?;
    Ok(Found::of(page).with(At(position)))
}
