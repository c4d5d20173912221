//! The sections of a plan: reading, writing and approving them one by one.

use axum::extract::State;
use axum::http::StatusCode;
use fido_commands::Committed;
use fido_commands::plan::PlanCommand;
use fido_domain::plan::{PlanEvent, Section as Name, SectionText};
use fido_projections::plan as seen;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::answers::Section;
use super::{after, execute, open, part};
use crate::answer::{At, Done, Found};
use crate::extract::{IfMatch, Json, MinPosition, Path};
use crate::identity::SignedIn;
use crate::{Answer, Api, App};

/// Which section of which plan.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) struct SectionPath {
    /// The plan.
    pub(super) plan_id: Uuid,
    /// Which of the nine.
    pub(super) section: Name,
}

/// What a person writes in a section.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SectionRevision", example = json!({ "text": "Students and commuters." }))]
pub(super) struct NewText {
    /// What the section says from now on.
    text: SectionText,
}

/// What a change of a section is answered with.
pub(super) type Changed = Found<Section>;

pub(super) async fn one(
    State(api): App,
    who: SignedIn,
    Path(at): Path<SectionPath>,
    MinPosition(at_least): MinPosition,
) -> Answer<Found<Section>> {
    let look = |mut snapshot| async move { seen::sections(&mut snapshot, at.plan_id).await };
    let (position, _, mut rows) = part(&api, who.account_id, at.plan_id, at_least, look).await?;
    let row = &mut rows[at.section];
    open(&api, at.plan_id, row.as_mut().map(|row| &mut row.text)).await?;
    let section = Section::seen(at.section, row.as_ref());
    let head = (At(position), section.etag());
    Ok(Found::of(section).with(head))
}

pub(super) async fn revise(
    State(api): App,
    who: SignedIn,
    Path(at): Path<SectionPath>,
    seen: IfMatch,
    Json(new): Json<NewText>,
) -> Answer<Changed> {
    let command = PlanCommand::ReviseSection {
        account_id: who.account_id,
        section: at.section,
        expected: seen.required()?.revision(),
        text: new.text,
    };
    let committed = execute(&api, at.plan_id, command, who.command(StatusCode::OK)).await?;
    changed(&api, at, &committed).await
}

pub(super) async fn approve(
    State(api): App,
    who: SignedIn,
    Path(at): Path<SectionPath>,
    seen: IfMatch,
) -> Answer<Changed> {
    let command = PlanCommand::ApproveSection {
        account_id: who.account_id,
        section: at.section,
        expected: seen.revision(),
    };
    let committed = execute(&api, at.plan_id, command, who.command(StatusCode::OK)).await?;
    changed(&api, at, &committed).await
}

pub(super) async fn reopen(
    State(api): App,
    who: SignedIn,
    Path(at): Path<SectionPath>,
    seen: IfMatch,
) -> Answer<Changed> {
    let command = PlanCommand::ReopenSection {
        account_id: who.account_id,
        section: at.section,
        expected: seen.revision(),
    };
    let committed = execute(&api, at.plan_id, command, who.command(StatusCode::OK)).await?;
    changed(&api, at, &committed).await
}

/// The section as a command has left it: its own event says all of a new text, and only otherwise is
/// the plan read again.
pub(super) async fn changed(
    api: &Api,
    at: SectionPath,
    committed: &Committed<PlanEvent>,
) -> Answer<Changed> {
    let section = match Section::revised(committed) {
        Some(section) => section,
        None => {
            let plan = after(api, at.plan_id, committed).await?;
            Section::from_log(at.section, &plan.sections[at.section])
        }
    };
    let head = (Done::of(committed), section.etag());
    Ok(Found::of(section).with(head))
}
