//! Conversations: starting one, the list, and what is said in each.

mod answers;
mod asked;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use fido_commands::vault::StreamId;
use fido_commands::{CommandContext, ambient};
use fido_domain::{Evolve, conversation as domain};
use fido_projections::conversation as seen;
use uuid::Uuid;

use crate::answer::{At, Done, Page};
use crate::extract::{Id, Json, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
use answers::{Conversation, Erasure, Message, Posted};
use asked::{Listing, NewConversation, NewMessage, Reading};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/conversations", post(start).get(list))
        .route(
            "/v1/conversations/{conversation_id}",
            get(one).delete(erase),
        )
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
        .execute::<domain::Conversation>(id, command, &who.command(StatusCode::CREATED))
        .await?;
    let conversation = Conversation::started(&committed)?;
    // Not the id made above: a request that is sent again gets the conversation of the first.
    let location = format!("/v1/conversations/{}", conversation.id());
    let head = ([(header::LOCATION, location)], Done::of(&committed));
    Ok((StatusCode::CREATED, head, Json(conversation)))
}

async fn list(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<impl IntoResponse> {
    let mut snapshot = api.replicas.read(at_least).await?;
    let (before, rows) = (asked.before(), asked.limit.rows());
    let mut rows = seen::list(&mut snapshot, who.account_id, &asked.filter(), before, rows).await?;
    let position = At(snapshot.position());
    drop(snapshot);
    open_summaries(&api, &mut rows).await?;
    let page = Page::<Conversation>::of(rows, asked.limit, asked::activity)?;
    Ok((position, Json(page)))
}

async fn one(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
) -> Answer<impl IntoResponse> {
    let mut snapshot = api.replicas.read(at_least).await?;
    let found = seen::one(&mut snapshot, who.account_id, id).await?;
    let mut conversation = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let position = At(snapshot.position());
    drop(snapshot);
    open_summaries(&api, std::slice::from_mut(&mut conversation)).await?;
    Ok((position, Json(Conversation::from(conversation))))
}

async fn erase(State(api): App, who: SignedIn, Id(id): Id) -> Answer<impl IntoResponse> {
    // Asking again changes nothing, so a receipt of the request would be one too many.
    let context = CommandContext {
        receipt: None,
        ..who.command(StatusCode::ACCEPTED)
    };
    let erasure = api.eraser.erase_conversation(id, context).await?;
    Ok((
        StatusCode::ACCEPTED,
        At(erasure.position),
        Json(Erasure::from(erasure)),
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
        .execute::<domain::Conversation>(id, command, &who.command(StatusCode::ACCEPTED))
        .await?;
    let location = format!("/v1/conversations/{id}/messages");
    let head = ([(header::LOCATION, location)], Done::of(&committed));
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
    let mut rows = seen::transcript(&mut snapshot, id, order, after, rows).await?;
    let position = At(snapshot.position());
    drop(snapshot);
    let texts = rows.iter_mut().filter_map(|row| row.text.as_mut());
    let sealed = texts.map(|text| (stream_of(id), text)).collect();
    api.store.vault().open_all(sealed).await?;
    let page = Page::<Message>::of(rows, asked.limit, |row| row.position)?;
    Ok((position, Json(page)))
}

/// Opens what conversations say of themselves.
async fn open_summaries(api: &Api, rows: &mut [seen::ConversationSummary]) -> Answer<()> {
    let mut sealed = Vec::new();
    for row in rows {
        let contents = [row.title.as_mut(), row.goal.as_mut()];
        for content in contents.into_iter().flatten() {
            sealed.push((stream_of(row.conversation_id), content));
        }
    }
    Ok(api.store.vault().open_all(sealed).await?)
}

fn stream_of(conversation: Uuid) -> StreamId {
    StreamId::new(domain::Conversation::TYPE, conversation)
}
