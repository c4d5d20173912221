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

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with, put_with};
use axum::extract::State;
use axum::http::{StatusCode, header};
use fido_commands::plan::PlanCommand;
use fido_commands::store::past::Moment;
use fido_commands::vault::StreamId;
use fido_commands::{CommandContext, Committed, ambient};
use fido_domain::plan::{PerSection, PlanDocument, PlanEvent};
use fido_domain::{Evolve, Position, Private, plan as domain};
use fido_projections::{Snapshot, plan as seen};
use uuid::Uuid;

use crate::answer::{At, Created, Done, ETag, Found, NoContent, Page};
use crate::document::about;
use crate::extract::{Id, IfMatch, Json, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
use answers::{Plan, PlanOutline};
use asked::{Changed, Listing, Looking, NewPlan};

const PLAN: &str = "/v1/plans/{plan_id}";
const SECTION: &str = "/v1/plans/{plan_id}/sections/{section}";
const GENERATION: &str = "/v1/plans/{plan_id}/generations/{generation_id}";

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    ApiRouter::new()
        .api_route(
            "/v1/plans",
            post_with(start, about("start_plan", "Begin to plan a business", &[]))
                .get_with(list, about("list_plans", "My plans", &[])),
        )
        .api_route(
            PLAN,
            get_with(
                one,
                about("read_plan", "A plan, as it is or as it was", &[]),
            )
            .patch_with(
                describe,
                about(
                    "edit_plan",
                    "Describe the business anew, put the plan away or take it out again",
                    &[Kind::PlanArchived],
                ),
            )
            .delete_with(archive, about("archive_plan", "Put the plan away", &[])),
        )
        .api_route(
            &format!("{PLAN}/history"),
            get_with(
                history::list,
                about("read_plan_history", "Who changed what, and when", &[]),
            ),
        )
        .api_route(
            &format!("{PLAN}/export"),
            get_with(
                export::download,
                about(
                    "export_plan",
                    "The plan as a document",
                    &[Kind::UnknownFormat],
                ),
            ),
        )
        .merge(sections())
        .merge(facts())
        .merge(generations())
        .with_path_items(|item| item.tag("plans"))
}

fn sections() -> ApiRouter<Arc<Api>> {
    let fixed = &[Kind::PlanArchived, Kind::SectionApproved];
    ApiRouter::new()
        .api_route(
            SECTION,
            get_with(sections::one, about("read_section", "A section", &[])).put_with(
                sections::revise,
                about(
                    "write_section",
                    "Write a section, based on the text that you have read",
                    &[
                        Kind::PlanArchived,
                        Kind::SectionApproved,
                        Kind::PreconditionRequired,
                    ],
                ),
            ),
        )
        .api_route(
            &format!("{SECTION}/approve"),
            post_with(
                sections::approve,
                about(
                    "approve_section",
                    "Be content with a section: it stays as it is",
                    &[Kind::PlanArchived, Kind::SectionEmpty],
                ),
            ),
        )
        .api_route(
            &format!("{SECTION}/reopen"),
            post_with(
                sections::reopen,
                about(
                    "reopen_section",
                    "Go on with an approved section",
                    &[Kind::PlanArchived],
                ),
            ),
        )
        .api_route(
            &format!("{SECTION}/revisions"),
            get_with(
                revisions::list,
                about("list_revisions", "Every text that a section had", &[]),
            ),
        )
        .api_route(
            &format!("{SECTION}/revisions/{{revision}}/restore"),
            post_with(
                revisions::restore,
                about("restore_revision", "Go back to an earlier text", fixed),
            ),
        )
}

fn facts() -> ApiRouter<Arc<Api>> {
    ApiRouter::new()
        .api_route(
            &format!("{PLAN}/facts"),
            get_with(
                facts::list,
                about(
                    "list_facts",
                    "What the co-pilots know about the business",
                    &[],
                ),
            ),
        )
        .api_route(
            &format!("{PLAN}/facts/{{key}}"),
            put_with(
                facts::record,
                about(
                    "record_fact",
                    "Say what is so",
                    &[Kind::PlanArchived, Kind::TooManyFacts],
                ),
            )
            .delete_with(
                facts::withdraw,
                about("withdraw_fact", "Take a fact back", &[Kind::PlanArchived]),
            ),
        )
}

fn generations() -> ApiRouter<Arc<Api>> {
    let refusals = &[
        Kind::PlanArchived,
        Kind::SectionApproved,
        Kind::GenerationInProgress,
        Kind::NothingToGenerate,
    ];
    ApiRouter::new()
        .api_route(
            &format!("{PLAN}/generations"),
            post_with(
                generations::request,
                about(
                    "request_generation",
                    "Let the co-pilots write sections",
                    refusals,
                ),
            )
            .get_with(
                generations::list,
                about(
                    "list_generations",
                    "What the co-pilots were asked to write",
                    &[],
                ),
            ),
        )
        .api_route(
            GENERATION,
            get_with(
                generations::one,
                about("read_generation", "How far a generation has come", &[]),
            ),
        )
        .api_route(
            &format!("{GENERATION}/cancel"),
            post_with(
                generations::cancel,
                about("cancel_generation", "Stop a generation", &[]),
            ),
        )
}

async fn start(State(api): App, who: SignedIn, Json(new): Json<NewPlan>) -> Answer<Created<Plan>> {
    let (id, command) = (ambient::new_id(), new.command(who.account_id));
    let context = who.command(StatusCode::CREATED);
    let committed = execute(&api, id, command, context).await?;
    // Not the id made above: a request that is sent again gets the plan of the first.
    let (id, plan) = answers::started(&committed)?;
    let location = [(header::LOCATION, format!("/v1/plans/{id}"))];
    let etag = ETag::of_stream(plan.sequence);
    let plan = Plan::from_log(id, &plan)?;
    Ok(Created::of(plan).with((location, Done::of(&committed), etag)))
}

async fn list(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<Found<Page<PlanOutline>>> {
    let (account, status) = (who.account_id, asked.status());
    let (before, limit) = (asked.before(), asked.limit.rows());
    let query = |mut snapshot| async move {
        seen::list(&mut snapshot, account, status, before, limit).await
    };
    let (position, mut rows) = api.replicas.ask(at_least, query).await?;
    let contents = rows.iter_mut().flat_map(answers::private_of);
    api.store.vault().open_all(contents.collect()).await?;
    let page = Page::of(rows, asked.limit, asked::newest)?;
    Ok(Found::of(page).with(At(position)))
}

async fn one(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Looking>,
) -> Answer<Found<Plan>> {
    if let Some(moment) = asked.moment() {
        let (position, plan) = as_it_was(&api, who.account_id, id, moment).await?;
        let etag = ETag::of_stream(plan.sequence);
        return Ok(Found::of(Plan::from_log(id, &plan)?).with((At(position), etag)));
    }
    let (position, (plan, sections)) = whole(&api, who.account_id, id, at_least).await?;
    let etag = ETag::of_stream(plan.sequence);
    Ok(Found::of(Plan::seen(plan, sections)).with((At(position), etag)))
}

async fn describe(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    seen: IfMatch,
    Json(changed): Json<Changed>,
) -> Answer<Found<Plan>> {
    let command = changed.command(who.account_id);
    let committed = execute(&api, id, command, who.edit(StatusCode::OK, &seen)).await?;
    let plan = after(&api, id, &committed).await?;
    let etag = ETag::of_stream(plan.sequence);
    let plan = Plan::from_log(id, &plan)?;
    Ok(Found::of(plan).with((Done::of(&committed), etag)))
}

async fn archive(State(api): App, who: SignedIn, Id(id): Id, seen: IfMatch) -> Answer<NoContent> {
    let account_id = who.account_id;
    let (done, command) = (
        StatusCode::NO_CONTENT,
        PlanCommand::ArchivePlan { account_id },
    );
    let committed = execute(&api, id, command, who.edit(done, &seen)).await?;
    Ok(NoContent::new().with(Done::of(&committed)))
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
