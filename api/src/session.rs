//! Sessions: signing in, where I am signed in, and signing out.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, post_with};
use axum::extract::State;
use fido_commands::auth::{Device, Password};
use fido_domain::access::SignInWay;
use fido_domain::text::EmailAddress;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::account::{Welcome, recorded};
use crate::answer::{At, Created, Found, NoContent, Page, Shown};
use crate::document::about;
use crate::extract::{Id, Json, Visitor};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let wrong = &[
        Kind::WrongCredentials,
        Kind::TooManyAttempts,
        Kind::Busy,
        Kind::Unavailable,
    ];
    ApiRouter::new()
        .api_route(
            "/v1/sessions",
            post_with(sign_in, about("sign_in", "Sign in", wrong))
                .get_with(devices, about("list_sessions", "Where I am signed in", &[])),
        )
        .api_route(
            "/v1/sessions/current",
            delete_with(sign_out, about("sign_out", "Sign out", &[])),
        )
        .api_route(
            "/v1/sessions/{session_id}",
            delete_with(revoke, about("revoke_session", "Sign a device out", &[])),
        )
        .with_path_items(|item| item.tag("sessions"))
}

/// What a person signs in with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({ "email": "ada@example.com", "password": "correct horse" }))]
struct Credentials {
    /// The account's address, whatever its case.
    email: EmailAddress,
    /// Its password.
    password: Password,
}

async fn sign_in(
    State(api): App,
    visitor: Visitor,
    Json(given): Json<Credentials>,
) -> Answer<Created<Welcome>> {
    let (origin, way) = (visitor.origin(), SignInWay::Password);
    let account_id = api.auth.check(&given.email, given.password, origin).await?;
    let opened = api.auth.sign_in(account_id, way, origin).await?;
    let (account, position) = recorded(&api, account_id).await?;
    let cookie = api.config.cookie.keep(&opened);
    let welcome = Created::of(Welcome::new(account, &opened));
    Ok(welcome.with((cookie, At(position))))
}

async fn devices(State(api): App, who: SignedIn) -> Answer<Found<Page<Session>>> {
    let devices = api.auth.devices(who.account_id).await?;
    let sessions = devices.into_iter().map(|device| Session::new(device, &who));
    Ok(Found::of(Page::whole(sessions.collect())))
}

async fn revoke(State(api): App, who: SignedIn, Id(session_id): Id) -> Answer<NoContent> {
    let revoked = api
        .auth
        .revoke(who.session(), session_id, who.origin())
        .await?;
    revoked
        .then(NoContent::new)
        .ok_or_else(|| Problem::new(Kind::NotFound))
}

async fn sign_out(State(api): App, who: SignedIn) -> Answer<NoContent> {
    let session = who.session();
    api.auth
        .revoke(session, session.session_id, who.origin())
        .await?;
    Ok(NoContent::new().with(api.config.cookie.forget()))
}

/// One of a person's devices.
#[derive(Serialize, JsonSchema)]
struct Session {
    /// Its id.
    id: Uuid,
    /// What the device says it is.
    user_agent: Shown,
    /// Whether it is the one that asks.
    current: bool,
    /// When it was opened.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: OffsetDateTime,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
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
