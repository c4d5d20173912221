//! Conversations: starting one, the list, and what is said in each.

mod answers;
mod asked;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use fido_commands::ambient;
use fido_domain::conversation as domain;
use fido_projections::conversation as seen;

use crate::answer::{At, Page};
use crate::extract::{Id, Json, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
use answers::{Conversation, Message, Posted};
use asked::{Listing, NewConversation, NewMessage, Reading};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/conversations", post(start).get(list))
        .route("/v1/conversations/{conversation_id}", get(one))
        .route(
            "/v1/conversations/{conversation_id}/messages",
            post(post_message).get(messages),
        )
}

async fn start(
    State(api): App,
    who: SignedIn,
    Json(new): Json<NewConversation>,
) -> Answer<impl IntoResponse> {
    let (id, command) = (ambient::new_id(), new.command(who.account_id));
    let committed = api
        .store
        .execute::<domain::Conversation>(id, command, &who.command())
        .await?;
    let conversation = Json(Conversation::started(&committed)?);
    let location = [(header::LOCATION, format!("/v1/conversations/{id}"))];
    Ok((
        StatusCode::CREATED,
        location,
        At(committed.position),
        conversation,
    ))
}

async fn list(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<impl IntoResponse> {
    let mut snapshot = api.replicas.read(at_least).await?;
    let (before, rows) = (asked.before(), asked.limit.rows());
    let rows = seen::list(&mut snapshot, who.account_id, &asked.filter(), before, rows).await?;
    let page = Page::<Conversation>::of(rows, asked.limit, asked::activity)?;
    Ok((At(snapshot.position()), Json(page)))
}

async fn one(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
) -> Answer<impl IntoResponse> {
    let mut snapshot = api.replicas.read(at_least).await?;
    let found = seen::one(&mut snapshot, who.account_id, id).await?;
    let conversation = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok((
        At(snapshot.position()),
        Json(Conversation::from(conversation)),
    ))
}

async fn post_message(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    Json(new): Json<NewMessage>,
) -> Answer<impl IntoResponse> {
    let command = new.command(who.account_id);
    let committed = api
        .store
        .execute::<domain::Conversation>(id, command, &who.command())
        .await?;
    let location = format!("/v1/conversations/{id}/messages");
    let head = ([(header::LOCATION, location)], At(committed.position));
    Ok((
        StatusCode::ACCEPTED,
        head,
        Json(Posted::from_log(&committed)?),
    ))
}

async fn messages(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Reading>,
) -> Answer<impl IntoResponse> {
    let mut snapshot = api.replicas.read(at_least).await?;
    let theirs = seen::one(&mut snapshot, who.account_id, id).await?;
    theirs.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let (order, after, rows) = (asked.order.into(), asked.after(), asked.limit.rows());
    let rows = seen::transcript(&mut snapshot, id, order, after, rows).await?;
    let page = Page::<Message>::of(rows, asked.limit, |row| row.position)?;
    Ok((At(snapshot.position()), Json(page)))
}
