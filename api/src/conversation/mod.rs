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
pub(crate) use answers::Erasure;
use answers::{Conversation, Message, Posted};
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
    let (account, filter) = (who.account_id, &asked.filter());
    let (before, limit) = (asked.before(), asked.limit.rows());
    let query = |mut snapshot| async move {
        seen::list(&mut snapshot, account, filter, before, limit).await
    };
    let (position, mut rows) = api.replicas.ask(at_least, query).await?;
    open_summaries(&api, &mut rows).await?;
    let page = Page::<Conversation>::of(rows, asked.limit, asked::activity)?;
    Ok((At(position), Json(page)))
}

async fn one(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
) -> Answer<impl IntoResponse> {
    let account = who.account_id;
    let query = |mut snapshot| async move { seen::one(&mut snapshot, account, id).await };
    let (position, found) = api.replicas.ask(at_least, query).await?;
    let mut conversation = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    open_summaries(&api, std::slice::from_mut(&mut conversation)).await?;
    Ok((At(position), Json(Conversation::from(conversation))))
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
    let (account, order) = (who.account_id, asked.order.into());
    let (after, limit) = (asked.after(), asked.limit.rows());
    let query = |mut snapshot| async move {
        let theirs = seen::one(&mut snapshot, account, id).await?;
        if theirs.is_none() {
            return Ok(None);
        }
        let rows = seen::transcript(&mut snapshot, id, order, after, limit).await?;
        Ok(Some(rows))
    };
    let (position, rows) = api.replicas.ask(at_least, query).await?;
    let mut rows = rows.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let texts = rows.iter_mut().filter_map(|row| row.text.as_mut());
    let sealed = texts.map(|text| (stream_of(id), text)).collect();
    api.store.vault().open_all(sealed).await?;
    let page = Page::<Message>::of(rows, asked.limit, |row| row.position)?;
    Ok((At(position), Json(page)))
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
