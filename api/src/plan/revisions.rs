//! Every text that a section had, and going back to one.

use axum::extract::State;
use axum::http::StatusCode;
use fido_commands::plan::PlanCommand;
use fido_domain::plan::Section as Name;
use fido_projections::plan::{self as seen, RevisionRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::sections::{Changed, SectionPath, changed};
use super::{execute, open, part};
use crate::answer::{At, Found, Limit, Page, Shown};
use crate::cursor::Cursor;
use crate::extract::{IfMatch, MinPosition, Path, Query};
use crate::identity::SignedIn;
use crate::{Answer, App};

/// A text that a section has or had.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Revision {
    /// Its number within the section: 1, 2, 3 …
    revision: i32,
    /// What it made of the section: `drafted` or `revised`.
    status: String,
    /// Who wrote it: `model` or `user`.
    source: String,
    /// What it says.
    text: Shown,
    /// How long it is, in words.
    words: i32,
    /// How long it is, in characters.
    characters: i32,
    /// The model that wrote it, if one did.
    model: Option<String>,
    /// The revision whose text it has, if the person went back to it.
    restored_from: Option<i32>,
    /// The generation that it belongs to.
    generation_id: Option<Uuid>,
    /// The conversation in which it was written.
    conversation_id: Option<Uuid>,
    /// Since when it is there.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: OffsetDateTime,
}

impl From<RevisionRow> for Revision {
    fn from(row: RevisionRow) -> Self {
        Self {
            revision: row.revision,
            status: row.written,
            source: row.source,
            text: Shown::from(&row.text),
            words: row.words,
            characters: row.characters,
            model: row.model,
            restored_from: row.restored_from,
            generation_id: row.generation_id,
            conversation_id: row.conversation_id,
            created_at: row.recorded_at,
        }
    }
}

/// The parameters of `GET /v1/plans/{plan_id}/sections/{section}/revisions`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// How many.
    #[serde(default)]
    limit: Limit,
    /// The `next` of the page before.
    cursor: Option<Cursor<i32>>,
}

pub(super) async fn list(
    State(api): App,
    who: SignedIn,
    Path(at): Path<SectionPath>,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<Found<Page<Revision>>> {
    let (id, before) = (at.plan_id, asked.cursor.map(|Cursor(revision)| revision));
    let limit = asked.limit.rows();
    let look = |mut snapshot| async move {
        seen::revisions(&mut snapshot, id, at.section, before, limit).await
    };
    let (position, _, mut rows) = part(&api, who.account_id, id, at_least, look).await?;
    open(&api, id, rows.iter_mut().map(|row| &mut row.text)).await?;
    let page = Page::of(rows, asked.limit, |row| row.revision)?;
    Ok(Found::of(page).with(At(position)))
}

/// Which text of which section.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) struct RevisionPath {
    /// The plan.
    plan_id: Uuid,
    /// Which of the nine.
    section: Name,
    /// The number of the text within the section.
    revision: u32,
}

pub(super) async fn restore(
    State(api): App,
    who: SignedIn,
    Path(at): Path<RevisionPath>,
    seen: IfMatch,
) -> Answer<Changed> {
    let (plan_id, section) = (at.plan_id, at.section);
    let command = PlanCommand::RestoreRevision {
        account_id: who.account_id,
        section,
        expected: seen.revision(),
        revision: at.revision,
    };
    let committed = execute(&api, plan_id, command, who.command(StatusCode::OK)).await?;
    changed(&api, SectionPath { plan_id, section }, &committed).await
}
