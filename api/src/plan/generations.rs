//! Letting the co-pilots write sections: a generation is asked for, watched, and stopped if need be.
//!
//! Asking is a command like any other: it is recorded and readable at once. Until a worker takes it, it
//! stays `requested`, and may be cancelled.

use axum::extract::State;
use axum::http::{StatusCode, header};
use fido_commands::Committed;
use fido_commands::ambient;
use fido_commands::plan::PlanCommand;
use fido_domain::Position;
use fido_domain::plan::{
    GenerationDocument, Instructions, PlanDocument, PlanEvent, Section as Name,
};
use fido_projections::plan::{self as seen, GenerationRow, GenerationSectionRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{after, execute, open, part};
use crate::answer::{Accepted, At, Done, ETag, Found, Limit, Page, Shown};
use crate::conversation::Usage;
use crate::cursor::Cursor;
use crate::extract::{Id, Json, MinPosition, Path, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, App};

/// A generation, without its sections.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct GenerationOutline {
    /// Which.
    id: Uuid,
    /// `requested`, `started`, `completed`, `failed` or `cancelled`. One that no worker has taken stays
    /// `requested` until it is cancelled.
    status: String,
    /// What it is to heed.
    instructions: Option<Shown>,
    /// Why it failed, as a stable code.
    failure: Option<String>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    requested_at: OffsetDateTime,
    /// When a worker first began it; none before that.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    started_at: Option<OffsetDateTime>,
    /// From its start, or its request where nobody began it, to its end; none while it goes on.
    duration_ms: Option<i64>,
    /// What the models used so far.
    usage: Usage,
    /// What it cost, as a decimal number; none where no price of the models is known.
    cost: Option<String>,
}

/// A generation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Generation {
    #[serde(flatten)]
    outline: GenerationOutline,
    /// What was asked for, in the order of the plan.
    sections: Vec<Progress>,
}

/// What has become of a section that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SectionProgress")]
struct Progress {
    /// Which.
    section: Name,
    /// `pending`, `drafted`, `skipped` or `failed`.
    status: String,
    /// Why it was not taken or could not be written, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Both ends of a generation, where it has them.
fn duration(
    requested: OffsetDateTime,
    started: Option<OffsetDateTime>,
    ended: Option<OffsetDateTime>,
) -> Option<i64> {
    let lasted = ended? - started.unwrap_or(requested);
    Some(i64::try_from(lasted.whole_milliseconds()).unwrap_or(i64::MAX))
}

impl From<GenerationRow> for GenerationOutline {
    fn from(row: GenerationRow) -> Self {
        Self {
            id: row.generation_id,
            status: row.status,
            instructions: row.instructions.as_ref().map(Shown::from),
            failure: row.failure,
            requested_at: row.requested_at,
            started_at: row.started_at,
            duration_ms: duration(row.requested_at, row.started_at, row.ended_at),
            usage: Usage::new(row.input_tokens, row.output_tokens),
            cost: None,
        }
    }
}

impl From<&GenerationDocument> for Generation {
    fn from(document: &GenerationDocument) -> Self {
        let (requested, started) = (document.requested_at, document.started_at);
        let progress = |progress: &fido_domain::plan::SectionProgress| Progress {
            section: progress.section,
            status: progress.outcome.as_str().to_owned(),
            reason: progress.reason.clone(),
        };
        Self {
            outline: GenerationOutline {
                id: document.generation_id,
                status: document.status.as_str().to_owned(),
                instructions: document.instructions.as_ref().map(Shown::from),
                failure: document.reason.clone(),
                requested_at: requested,
                started_at: started,
                duration_ms: duration(requested, started, document.ended_at),
                usage: document.usage.into(),
                cost: None,
            },
            sections: document.sections.iter().map(progress).collect(),
        }
    }
}

impl Generation {
    fn seen(row: GenerationRow, sections: Vec<GenerationSectionRow>) -> Self {
        let progress = |row: GenerationSectionRow| Progress {
            section: row.section,
            status: row.outcome,
            reason: row.reason,
        };
        Self {
            outline: row.into(),
            sections: sections.into_iter().map(progress).collect(),
        }
    }

    fn of(plan: &PlanDocument, id: Uuid) -> Answer<Self> {
        let found = plan.generation(id);
        found
            .map(Self::from)
            .ok_or_else(|| Problem::new(Kind::Internal).because("a generation is not in its plan"))
    }
}

/// What the co-pilots are asked to write.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({ "sections": ["market_analysis"], "instructions": "Be short" }))]
pub(super) struct NewGeneration {
    /// What is to be written; left out, every section that is empty or as a co-pilot left it.
    sections: Option<Vec<Name>>,
    /// What to heed.
    instructions: Option<Instructions>,
}

/// What asking for a generation has led to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RequestedGeneration")]
pub(super) struct Requested {
    /// The generation to come.
    generation: Generation,
    /// Where it was asked for.
    position: Position,
}

pub(super) async fn request(
    State(api): App,
    who: SignedIn,
    Id(plan_id): Id,
    Json(new): Json<NewGeneration>,
) -> Answer<Accepted<Requested>> {
    let command = PlanCommand::RequestGeneration {
        account_id: who.account_id,
        generation_id: ambient::new_id(),
        sections: new.sections,
        instructions: new.instructions,
    };
    let done = StatusCode::ACCEPTED;
    let committed = execute(&api, plan_id, command, who.command(done)).await?;
    let id = requested(&committed)?;
    let generation = Generation::of(&after(&api, plan_id, &committed).await?, id)?;
    let location = [(
        header::LOCATION,
        format!("/v1/plans/{plan_id}/generations/{id}"),
    )];
    let requested = Requested {
        generation,
        position: committed.position,
    };
    Ok(Accepted::of(requested).with((location, Done::of(&committed))))
}

/// The generation that was asked for: not always now, as a request may be sent again.
fn requested(committed: &Committed<PlanEvent>) -> Answer<Uuid> {
    let mut events = committed.events.iter();
    let id = events.find_map(|(event, _)| {
        if let PlanEvent::GenerationRequested { generation_id, .. } = event {
            Some(*generation_id)
        } else {
            None
        }
    });
    id.ok_or_else(|| Problem::new(Kind::Internal).because("a generation without its event"))
}

/// The parameters of `GET /v1/plans/{plan_id}/generations`.
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
) -> Answer<Found<Page<GenerationOutline>>> {
    let (before, limit) = (asked.cursor.map(|Cursor(last)| last), asked.limit.rows());
    let look =
        |mut snapshot| async move { seen::generations(&mut snapshot, id, before, limit).await };
    let (position, _, mut rows) = part(&api, who.account_id, id, at_least, look).await?;
    let instructions = rows.iter_mut().filter_map(|row| row.instructions.as_mut());
    open(&api, id, instructions).await?;
    let page = Page::of(rows, asked.limit, |row| row.position)?;
    Ok(Found::of(page).with(At(position)))
}

/// Which generation of which plan.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) struct GenerationPath {
    /// The plan.
    plan_id: Uuid,
    /// The generation.
    generation_id: Uuid,
}

pub(super) async fn one(
    State(api): App,
    who: SignedIn,
    Path(at): Path<GenerationPath>,
    MinPosition(at_least): MinPosition,
) -> Answer<Found<Generation>> {
    let (plan_id, id) = (at.plan_id, at.generation_id);
    let look = |mut snapshot| async move {
        let row = seen::generation(&mut snapshot, plan_id, id).await?;
        let sections = seen::generation_sections(&mut snapshot, plan_id, id).await?;
        Ok(row.map(|row| (row, sections)))
    };
    let (position, plan, found) = part(&api, who.account_id, plan_id, at_least, look).await?;
    let (mut row, sections) = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    open(&api, plan_id, row.instructions.as_mut()).await?;
    // It has no stream of its own: it changes with the plan at most.
    let etag = ETag::of_stream(plan.sequence);
    Ok(Found::of(Generation::seen(row, sections)).with((At(position), etag)))
}

pub(super) async fn cancel(
    State(api): App,
    who: SignedIn,
    Path(at): Path<GenerationPath>,
) -> Answer<Accepted<Generation>> {
    let command = PlanCommand::CancelGeneration {
        account_id: who.account_id,
        generation_id: at.generation_id,
    };
    let done = StatusCode::ACCEPTED;
    let committed = execute(&api, at.plan_id, command, who.command(done)).await?;
    let plan = after(&api, at.plan_id, &committed).await?;
    let generation = Generation::of(&plan, at.generation_id)?;
    Ok(Accepted::of(generation).with(Done::of(&committed)))
}
