//! Passwords: replacing the own one, and coming back in without it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{post, put};
use fido_commands::auth::{Password, ResetToken};
use fido_domain::text::EmailAddress;
use serde::Deserialize;

use crate::answer::Done;
use crate::extract::{Json, Visitor};
use crate::identity::SignedIn;
use crate::{Answer, Api, App};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/me/password", put(change))
        .route("/v1/password-resets", post(request).put(complete))
}

/// The old password and the new one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The one that is good until now.
    current_password: Password,
    /// The one that is good from now on: 8 to 256 characters.
    new_password: Password,
}

/// Replaces the password; all other sessions end.
async fn change(
    State(api): App,
    who: SignedIn,
    Json(given): Json<NewPassword>,
) -> Answer<(Done, StatusCode)> {
    let done = StatusCode::NO_CONTENT;
    let (session, context) = (who.session(), who.command(done));
    let changed = api
        .auth
        .change_password(session, given.current_password, given.new_password, context)
        .await?;
    Ok((Done::of(&changed), done))
}

/// Whose password is forgotten.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    /// The address that the account was opened with.
    email: EmailAddress,
}

/// Sends a mail to the owner of the address. The answer is the same, and as soon, when nobody has it.
async fn request(
    State(api): App,
    visitor: Visitor,
    Json(given): Json<Forgotten>,
) -> Answer<StatusCode> {
    api.post_office
        .ask_for_reset(given.email, visitor.into_origin());
    Ok(StatusCode::ACCEPTED)
}

/// What came by mail, and the new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// The token from the mail; good once, for an hour.
    token: ResetToken,
    /// The one that is good from now on: 8 to 256 characters.
    new_password: Password,
}

/// Sets a new password; all sessions of the account end.
async fn complete(
    State(api): App,
    visitor: Visitor,
    Json(given): Json<Reset>,
) -> Answer<StatusCode> {
    let origin = visitor.into_origin();
    api.auth
        .reset_password(&given.token, given.new_password, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
