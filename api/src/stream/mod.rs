//! `GET /v1/stream`: what happens to an account, as it happens, without a gap or a repeat.
//!
//! [`hub`] follows the log for all clients; [`feed`] is one client's stream.

mod board;
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

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::response::sse::{KeepAlive, Sse};
use axum::routing::get;
use serde::Deserialize;
use uuid::Uuid;

use crate::extract::{After, LastEventId, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

pub(crate) use hub::{Hub, NotFollowing};
use open::{Wish, open};

/// How often a silent stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Keeps whatever lies between from holding frames back or keeping them.
const UNTOUCHED: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store, no-transform"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/v1/stream", get(stream))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    conversation: Option<Uuid>,
    after: Option<After>,
}

async fn stream(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
    LastEventId(last): LastEventId,
    Query(asked): Query<Asked>,
) -> Answer<impl IntoResponse> {
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
    Ok((UNTOUCHED, sse))
}
