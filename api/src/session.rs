//! Sessions: signing in, where I am signed in, and signing out.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{delete, post};
use fido_commands::auth::{Device, Password};
use fido_domain::access::SignInWay;
use fido_domain::text::EmailAddress;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::account::{Welcome, recorded};
use crate::answer::{At, Page, Shown};
use crate::extract::{Id, Json, Visitor};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/sessions", post(sign_in).get(devices))
        .route("/v1/sessions/current", delete(sign_out))
        .route("/v1/sessions/{session_id}", delete(revoke))
}

/// What a person signs in with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: EmailAddress,
    password: Password,
}

async fn sign_in(
    State(api): App,
    visitor: Visitor,
    Json(given): Json<Credentials>,
) -> Answer<impl IntoResponse> {
    let (origin, way) = (visitor.origin(), SignInWay::Password);
    let account_id = api.auth.check(&given.email, given.password, origin).await?;
    let opened = api.auth.sign_in(account_id, way, origin).await?;
    let (account, position) = recorded(&api, account_id).await?;
    let cookie = api.config.cookie.keep(&opened);
    let welcome = Json(Welcome::new(account, &opened));
    Ok((StatusCode::CREATED, cookie, At(position), welcome))
}

async fn devices(State(api): App, who: SignedIn) -> Answer<impl IntoResponse> {
    let devices = api.auth.devices(who.account_id).await?;
    let sessions = devices.into_iter().map(|device| Session::new(device, &who));
    Ok(Json(Page::whole(sessions.collect())))
}

async fn revoke(State(api): App, who: SignedIn, Id(session_id): Id) -> Answer<impl IntoResponse> {
    let revoked = api
        .auth
        .revoke(who.session(), session_id, who.origin())
        .await?;
    revoked
        .then_some(StatusCode::NO_CONTENT)
        .ok_or_else(|| Problem::new(Kind::NotFound))
}

async fn sign_out(State(api): App, who: SignedIn) -> Answer<impl IntoResponse> {
    let session = who.session();
    api.auth
        .revoke(session, session.session_id, who.origin())
        .await?;
    Ok((api.config.cookie.forget(), StatusCode::NO_CONTENT))
}

/// One of a person's devices.
#[derive(Serialize)]
struct Session {
    id: Uuid,
    user_agent: Shown,
    /// Whether it is the one that asks.
    current: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl Session {
    fn new(device: Device, who: &SignedIn) -> Self {
        Self {
            id: device.session_id,
            current: device.session_id == who.session_id,
            user_agent: Shown::from(&device.user_agent),
            created_at: device.created_at,
            expires_at: device.expires_at,
        }
    }
}
