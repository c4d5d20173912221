//! Plans: the list, each as a whole, now and at any moment of its past; its parts in a file each.

mod answers;
mod asked;
mod export;
mod facts;
mod generations;
mod history;
mod revisions;
mod sections;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::{get, post, put};
use fido_commands::plan::PlanCommand;
use fido_commands::store::past::Moment;
use fido_commands::vault::StreamId;
use fido_commands::{CommandContext, Committed, ambient};
use fido_domain::plan::{PerSection, PlanDocument, PlanEvent};
use fido_domain::{Evolve, Position, Private, plan as domain};
use fido_projections::{Snapshot, plan as seen};
use uuid::Uuid;

use crate::answer::{At, Done, ETag, Page};
use crate::extract::{Id, IfMatch, Json, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
use answers::{Plan, PlanOutline};
use asked::{Changed, Listing, Looking, NewPlan};

pub(crate) fn routes() -> Router<Arc<Api>> {
    let section = "/v1/plans/{plan_id}/sections/{section}";
    let generations = "/v1/plans/{plan_id}/generations";
    Router::new()
        .route("/v1/plans", post(start).get(list))
        .route(
            "/v1/plans/{plan_id}",
            get(one).patch(describe).delete(archive),
        )
        .route("/v1/plans/{plan_id}/history", get(history::list))
        .route("/v1/plans/{plan_id}/export", get(export::download))
        .route(section, get(sections::one).put(sections::revise))
        .route(&format!("{section}/approve"), post(sections::approve))
        .route(&format!("{section}/reopen"), post(sections::reopen))
        .route(&format!("{section}/revisions"), get(revisions::list))
        .route(
            &format!("{section}/revisions/{{revision}}/restore"),
            post(revisions::restore),
        )
        .route("/v1/plans/{plan_id}/facts", get(facts::list))
        .route(
            "/v1/plans/{plan_id}/facts/{key}",
            put(facts::record).delete(facts::withdraw),
        )
        .route(
            generations,
            post(generations::request).get(generations::list),
        )
        .route(
            &format!("{generations}/{{generation_id}}"),
            get(generations::one),
        )
        .route(
            &format!("{generations}/{{generation_id}}/cancel"),
            post(generations::cancel),
        )
}

async fn start(
    State(api): App,
    who: SignedIn,
    Json(new): Json<NewPlan>,
) -> Answer<(
    StatusCode,
    [(HeaderName, String); 1],
    Done,
    ETag,
    Json<Plan>,
)> {
    let (id, command) = (ambient::new_id(), new.command(who.account_id));
    let context = who.command(StatusCode::CREATED);
    let committed = execute(&api, id, command, context).await?;
    // Not the id made above: a request that is sent again gets the plan of the first.
    let (id, plan) = answers::started(&committed)?;
    let location = [(header::LOCATION, format!("/v1/plans/{id}"))];
    let etag = ETag::of_stream(plan.sequence);
    let plan = Json(Plan::from_log(id, &plan)?);
    Ok((
        StatusCode::CREATED,
        location,
        Done::of(&committed),
        etag,
        plan,
    ))
}

async fn list(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<(At, Json<Page<PlanOutline>>)> {
    let (account, status) = (who.account_id, asked.status());
    let (before, limit) = (asked.before(), asked.limit.rows());
    let query = |mut snapshot| async move {
        seen::list(&mut snapshot, account, status, before, limit).await
    };
    let (position, mut rows) = api.replicas.ask(at_least, query).await?;
    let contents = rows.iter_mut().flat_map(answers::private_of);
    api.store.vault().open_all(contents.collect()).await?;
    let page = Page::of(rows, asked.limit, asked::newest)?;
    Ok((At(position), Json(page)))
}

async fn one(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Looking>,
) -> Answer<(At, ETag, Json<Plan>)> {
    if let Some(moment) = asked.moment() {
        let (position, plan) = as_it_was(&api, who.account_id, id, moment).await?;
        let etag = ETag::of_stream(plan.sequence);
        return Ok((At(position), etag, Json(Plan::from_log(id, &plan)?)));
    }
    let (position, (plan, sections)) = whole(&api, who.account_id, id, at_least).await?;
    let etag = ETag::of_stream(plan.sequence);
    Ok((At(position), etag, Json(Plan::seen(plan, sections))))
}

async fn describe(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    seen: IfMatch,
    Json(changed): Json<Changed>,
) -> Answer<(Done, ETag, Json<Plan>)> {
    let command = changed.command(who.account_id);
    let committed = execute(&api, id, command, who.edit(StatusCode::OK, &seen)).await?;
    let plan = after(&api, id, &committed).await?;
    let etag = ETag::of_stream(plan.sequence);
    let plan = Json(Plan::from_log(id, &plan)?);
    Ok((Done::of(&committed), etag, plan))
}

async fn archive(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    seen: IfMatch,
) -> Answer<(StatusCode, Done, ())> {
    let account_id = who.account_id;
    let (done, command) = (
        StatusCode::NO_CONTENT,
        PlanCommand::ArchivePlan { account_id },
    );
    let committed = execute(&api, id, command, who.edit(done, &seen)).await?;
    Ok((done, Done::of(&committed), ()))
}

async fn execute(
    api: &Api,
    id: Uuid,
    command: PlanCommand,
    context: CommandContext,
) -> Answer<Committed<PlanEvent>> {
    let store = &api.store;
    Ok(store.execute::<domain::Plan>(id, command, &context).await?)
}

/// The plan as a command has left it.
async fn after(api: &Api, id: Uuid, committed: &Committed<PlanEvent>) -> Answer<PlanDocument> {
    let store = &api.store;
    Ok(store
        .after::<domain::Plan, PlanDocument>(id, committed.position)
        .await?)
}

/// One of `account`'s plans as it was, if it was there then.
async fn as_it_was(
    api: &Api,
    account: Uuid,
    id: Uuid,
    moment: Moment,
) -> Answer<(Position, PlanDocument)> {
    let store = &api.store;
    let (position, plan) = store
        .as_it_was::<domain::Plan, PlanDocument>(id, moment)
        .await?;
    if plan.account_id != Some(account) {
        return Err(Problem::new(Kind::NotFound));
    }
    Ok((position, plan))
}

type Sections = PerSection<Option<seen::SectionRow>>;

/// One of `account`'s plans as a replica shows it, opened.
async fn whole(
    api: &Api,
    account: Uuid,
    id: Uuid,
    at_least: Option<Position>,
) -> Answer<(Position, (seen::PlanSummary, Sections))> {
    let query = |mut snapshot| async move {
        let Some(plan) = seen::one(&mut snapshot, account, id).await? else {
            return Ok(None);
        };
        let sections = seen::sections(&mut snapshot, id).await?;
        Ok(Some((plan, sections)))
    };
    let (position, found) = api.replicas.ask(at_least, query).await?;
    let (mut plan, mut sections) = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let mut contents = answers::private_of(&mut plan);
    let texts = sections.iter_mut().filter_map(|(_, row)| row.as_mut());
    contents.extend(texts.map(|row| (stream_of(id), &mut row.text)));
    api.store.vault().open_all(contents).await?;
    Ok((position, (plan, sections)))
}

/// What a replica shows of one of `account`'s plans, through `look`, beside the plan itself.
async fn part<T, F>(
    api: &Api,
    account: Uuid,
    id: Uuid,
    at_least: Option<Position>,
    look: impl Fn(Snapshot) -> F,
) -> Answer<(Position, seen::PlanSummary, T)>
where
    F: Future<Output = Result<T, fido_projections::ReadError>>,
{
    let query = |mut snapshot| {
        let look = &look;
        async move {
            let Some(plan) = seen::one(&mut snapshot, account, id).await? else {
                return Ok(None);
            };
            Ok(Some((plan, look(snapshot).await?)))
        }
    };
    let (position, found) = api.replicas.ask(at_least, query).await?;
    let (plan, part) = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok((position, plan, part))
}

/// Opens private content of the plan `id`.
async fn open<'a>(
    api: &Api,
    id: Uuid,
    contents: impl IntoIterator<Item = &'a mut Private<String>>,
) -> Answer<()> {
    let contents = contents.into_iter();
    let sealed = contents.map(|content| (stream_of(id), content)).collect();
    Ok(api.store.vault().open_all(sealed).await?)
}

fn stream_of(plan: Uuid) -> StreamId {
    StreamId::new(domain::Plan::TYPE, plan)
}
