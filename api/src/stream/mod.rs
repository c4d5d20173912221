//! `GET /v1/stream`: what happens to an account, as it happens, without a gap or a repeat.
//!
//! [`hub`] follows the log for all clients; [`feed`] is one client's stream.

mod board;
mod described;
mod feed;
mod frame;
mod history;
mod hub;
mod open;
mod ring;
mod rooms;
mod signed_in;
#[cfg(test)]
mod testing;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::response::sse::{KeepAlive, Sse};
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use crate::document::about;
use crate::extract::{After, LastEventId, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

use described::EventStream;
pub(crate) use hub::{Hub, NotFollowing};
use open::{Wish, open};

/// How often a silent stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Keeps whatever lies between from holding frames back or keeping them.
const UNTOUCHED: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store, no-transform"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let not_theirs = &[Kind::NotFound];
    ApiRouter::new()
        .api_route(
            "/v1/stream",
            get_with(
                stream,
                about("follow", "What happens, as it happens", not_theirs),
            ),
        )
        .with_path_items(|item| item.tag("stream"))
}

/// What a client wants to be told.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Only what happens in this conversation.
    conversation: Option<Uuid>,
    /// Everything after this position first; `Last-Event-ID` wins over it.
    after: Option<After>,
}

async fn stream(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
    LastEventId(last): LastEventId,
    Query(asked): Query<Asked>,
) -> Answer<EventStream> {
    let wish = Wish {
        after: last.or(asked.after.map(|After(position)| position)),
        conversation: asked.conversation,
        at_least,
    };
    let watch = api.auth.watch(who.session()).await?;
    let watch = watch.ok_or_else(|| Problem::new(Kind::Unauthenticated))?;
    let feed = open(&api, who.account_id, wish).await?;
    let frames = feed.into_stream(api.store.vault().clone());
    let sse = Sse::new(signed_in::while_signed_in(watch, frames))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(EventStream((UNTOUCHED, sse).into_response()))
}
