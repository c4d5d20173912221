//! Conversations: starting one, the list, and what is said in each.

mod answers;
mod asked;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::State;
use axum::http::{StatusCode, header};
use fido_commands::vault::StreamId;
use fido_commands::{CommandContext, ambient};
use fido_domain::{Evolve, conversation as domain};
use fido_projections::conversation as seen;
use uuid::Uuid;

use crate::answer::{Accepted, At, Created, Done, Found, Page};
use crate::document::about;
use crate::extract::{Id, Json, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
pub(crate) use answers::Erasure;
use answers::{Conversation, Message, Posted};
use asked::{Listing, NewConversation, NewMessage, Reading};

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let busy = &[Kind::ReplyInProgress];
    ApiRouter::new()
        .api_route(
            "/v1/conversations",
            post_with(
                start,
                about("start_conversation", "Turn to a co-pilot", &[]),
            )
            .get_with(list, about("list_conversations", "My conversations", &[])),
        )
        .api_route(
            "/v1/conversations/{conversation_id}",
            get_with(one, about("read_conversation", "A conversation", &[])).delete_with(
                erase,
                about("erase_conversation", "Erase its content for good", &[]),
            ),
        )
        .api_route(
            "/v1/conversations/{conversation_id}/messages",
            post_with(post_message, about("post_message", "Say something", busy))
                .get_with(messages, about("list_messages", "What was said", &[])),
        )
        .with_path_items(|item| item.tag("conversations"))
}

async fn start(
    State(api): App,
    who: SignedIn,
    Json(new): Json<NewConversation>,
) -> Answer<Created<Conversation>> {
    let (id, command) = (ambient::new_id(), new.command(who.account_id));
    let committed = api
        .store
        .execute::<domain::Conversation>(id, command, &who.command(StatusCode::CREATED))
        .await?;
    let conversation = Conversation::started(&committed)?;
    // Not the id made above: a request that is sent again gets the conversation of the first.
    let location = format!("/v1/conversations/{}", conversation.id());
    let head = ([(header::LOCATION, location)], Done::of(&committed));
    Ok(Created::of(conversation).with(head))
}

async fn list(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Listing>,
) -> Answer<Found<Page<Conversation>>> {
    let (account, filter) = (who.account_id, &asked.filter());
    let (before, limit) = (asked.before(), asked.limit.rows());
    let query = |mut snapshot| async move {
        seen::list(&mut snapshot, account, filter, before, limit).await
    };
    let (position, mut rows) = api.replicas.ask(at_least, query).await?;
    open_summaries(&api, &mut rows).await?;
    let page = Page::of(rows, asked.limit, asked::activity)?;
    Ok(Found::of(page).with(At(position)))
}

async fn one(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
) -> Answer<Found<Conversation>> {
    let account = who.account_id;
    let query = |mut snapshot| async move { seen::one(&mut snapshot, account, id).await };
    let (position, found) = api.replicas.ask(at_least, query).await?;
    let mut conversation = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    open_summaries(&api, std::slice::from_mut(&mut conversation)).await?;
    Ok(Found::of(Conversation::from(conversation)).with(At(position)))
}

async fn erase(State(api): App, who: SignedIn, Id(id): Id) -> Answer<Accepted<Erasure>> {
    // Asking again changes nothing, so a receipt of the request would be one too many.
    let context = CommandContext {
        receipt: None,
        ..who.command(StatusCode::ACCEPTED)
    };
    let erasure = api.eraser.erase_conversation(id, context).await?;
    let position = At(erasure.position);
    Ok(Accepted::of(Erasure::from(erasure)).with(position))
}

async fn post_message(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    Json(new): Json<NewMessage>,
) -> Answer<Accepted<Posted>> {
    let command = new.command(who.account_id);
    let committed = api
        .store
        .execute::<domain::Conversation>(id, command, &who.command(StatusCode::ACCEPTED))
        .await?;
    let location = format!("/v1/conversations/{id}/messages");
    let head = ([(header::LOCATION, location)], Done::of(&committed));
    Ok(Accepted::of(Posted::from_log(&committed)?).with(head))
}

async fn messages(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Reading>,
) -> Answer<Found<Page<Message>>> {
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
    let page = Page::of(rows, asked.limit, |row| row.position)?;
    Ok(Found::of(page).with(At(position)))
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
