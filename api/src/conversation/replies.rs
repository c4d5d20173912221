//! What a person makes of a reply: cancels it, wants another one, rates it.

use axum::extract::State;
use axum::http::{StatusCode, header};
use fido_commands::ambient;
use fido_commands::conversation::ConversationCommand;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::answers::{Replied, requested};
use super::asked::NewRating;
use super::{after, execute};
use crate::answer::{Accepted, Done, NoContent};
use crate::extract::{Json, Path};
use crate::identity::SignedIn;
use crate::{Answer, Api, App};

/// Which reply of which conversation.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) struct ReplyPath {
    /// The conversation.
    conversation_id: Uuid,
    /// The reply, by its own id.
    reply_id: Uuid,
}

pub(super) async fn cancel(
    State(api): App,
    who: SignedIn,
    Path(at): Path<ReplyPath>,
) -> Answer<Accepted<Replied>> {
    let (id, reply_id) = (at.conversation_id, at.reply_id);
    let command = ConversationCommand::CancelReply {
        account_id: who.account_id,
        reply_id,
    };
    let done = StatusCode::ACCEPTED;
    let committed = execute(&api, id, command, who.command(done)).await?;
    tell_writer(&api, reply_id).await;
    let transcript = after(&api, id, committed.position).await?;
    let replied = Replied::from_log((id, reply_id), &transcript, committed.position)?;
    Ok(Accepted::of(replied).with(Done::of(&committed)))
}

/// The reply is cancelled by now whether or not its writer hears of it.
async fn tell_writer(api: &Api, reply_id: Uuid) {
    if let Err(error) = api.nats.publish_stop(reply_id).await {
        tracing::debug!(reply.id = %reply_id, error = %error, "a stop was not told");
    }
}

pub(super) async fn regenerate(
    State(api): App,
    who: SignedIn,
    Path(at): Path<ReplyPath>,
) -> Answer<Accepted<Replied>> {
    let id = at.conversation_id;
    let command = ConversationCommand::RegenerateReply {
        account_id: who.account_id,
        reply_id: at.reply_id,
        new_reply_id: ambient::new_id(),
    };
    let done = StatusCode::ACCEPTED;
    let committed = execute(&api, id, command, who.command(done)).await?;
    let transcript = after(&api, id, committed.position).await?;
    let asked_for = (id, requested(&committed)?);
    let replied = Replied::from_log(asked_for, &transcript, committed.position)?;
    let location = [(header::LOCATION, format!("/v1/conversations/{id}/messages"))];
    Ok(Accepted::of(replied).with((location, Done::of(&committed))))
}

pub(super) async fn rate(
    State(api): App,
    who: SignedIn,
    Path(at): Path<ReplyPath>,
    Json(new): Json<NewRating>,
) -> Answer<NoContent> {
    let command = new.command(who.account_id, at.reply_id);
    let done = StatusCode::NO_CONTENT;
    let committed = execute(&api, at.conversation_id, command, who.command(done)).await?;
    Ok(NoContent::new().with(Done::of(&committed)))
}
