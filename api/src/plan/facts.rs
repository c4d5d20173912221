//! What the co-pilots know about the business.

use axum::extract::State;
use axum::http::StatusCode;
use fido_commands::Committed;
use fido_commands::plan::PlanCommand;
use fido_domain::plan::{FactDocument, FactKey, FactValue, PlanEvent, Source};
use fido_projections::plan::{self as seen, FactRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{after, execute, open, part};
use crate::answer::{At, Done, Found, Limit, NoContent, Page, Shown};
use crate::cursor::Cursor;
use crate::extract::{Id, Json, MinPosition, Path, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

/// A fact about the business.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Fact {
    /// What about, such as `monthly_rent`.
    key: String,
    /// What is so.
    value: Shown,
    /// Who says so: `user`, or `model` for a co-pilot who gathered it.
    source: String,
    /// The conversation in which it came up.
    conversation_id: Option<Uuid>,
    /// Since when it is known like this.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    updated_at: OffsetDateTime,
}

impl From<FactRow> for Fact {
    fn from(row: FactRow) -> Self {
        Self {
            key: row.key,
            value: Shown::from(&row.value),
            source: row.source,
            conversation_id: row.conversation_id,
            updated_at: row.recorded_at,
        }
    }
}

impl Fact {
    fn from_log(key: &FactKey, fact: &FactDocument) -> Self {
        Self {
            key: key.as_str().to_owned(),
            value: Shown::from(&fact.value),
            source: fact.source.as_str().to_owned(),
            conversation_id: fact.conversation_id,
            updated_at: fact.recorded_at,
        }
    }
}

/// The parameters of `GET /v1/plans/{plan_id}/facts`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// How many.
    #[serde(default)]
    limit: Limit,
    /// The `next` of the page before.
    cursor: Option<Cursor<FactKey>>,
}

pub(super) async fn list(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<Found<Page<Fact>>> {
    let limit = asked.limit.rows();
    let behind = asked.cursor.as_ref().map(|Cursor(key)| key.as_str());
    let look = |mut snapshot| async move { seen::facts(&mut snapshot, id, behind, limit).await };
    let (position, _, mut rows) = part(&api, who.account_id, id, at_least, look).await?;
    open(&api, id, rows.iter_mut().map(|row| &mut row.value)).await?;
    let page = Page::of(rows, asked.limit, |row| row.key.clone())?;
    Ok(Found::of(page).with(At(position)))
}

/// Which fact about which plan.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct FactPath {
    /// The plan.
    plan_id: Uuid,
    /// What the fact is about: a snake-case name such as `monthly_rent`.
    key: FactKey,
}

/// What is so.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewFact", example = json!({ "value": "900 EUR a month" }))]
pub(super) struct NewValue {
    /// What is so.
    value: FactValue,
}

pub(super) async fn record(
    State(api): App,
    who: SignedIn,
    Path(at): Path<FactPath>,
    Json(new): Json<NewValue>,
) -> Answer<Found<Fact>> {
    let command = PlanCommand::RecordFact {
        account_id: who.account_id,
        key: at.key.clone(),
        value: new.value,
        source: Source::User,
        conversation_id: None,
    };
    let committed = execute(&api, at.plan_id, command, who.command(StatusCode::OK)).await?;
    let fact = recorded(&api, &at, &committed).await?;
    Ok(Found::of(fact).with(Done::of(&committed)))
}

pub(super) async fn withdraw(
    State(api): App,
    who: SignedIn,
    Path(at): Path<FactPath>,
) -> Answer<NoContent> {
    let command = PlanCommand::WithdrawFact {
        account_id: who.account_id,
        key: at.key,
    };
    let done = StatusCode::NO_CONTENT;
    let committed = execute(&api, at.plan_id, command, who.command(done)).await?;
    Ok(NoContent::new().with(Done::of(&committed)))
}

/// The fact as it stands after a command.
async fn recorded(api: &Api, at: &FactPath, committed: &Committed<PlanEvent>) -> Answer<Fact> {
    let plan = after(api, at.plan_id, committed).await?;
    let fact = plan.facts.get(&at.key);
    fact.map(|fact| Fact::from_log(&at.key, fact))
        .ok_or_else(|| Problem::new(Kind::Internal).because("a fact was recorded and is not there"))
}
