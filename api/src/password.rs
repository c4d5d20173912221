//! Passwords: replacing the own one, and coming back in without it.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{post_with, put_with};
use axum::extract::State;
use axum::http::StatusCode;
use fido_commands::auth::{Password, ResetToken};
use fido_domain::text::EmailAddress;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::{Accepted, Done, NoContent};
use crate::document::about;
use crate::extract::{Json, Visitor};
use crate::identity::SignedIn;
use crate::problem::Kind;
use crate::{Answer, Api, App};

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let guarded = &[
        Kind::WrongCredentials,
        Kind::TooManyAttempts,
        Kind::Unavailable,
    ];
    let resets = &[Kind::Busy, Kind::Unavailable];
    ApiRouter::new()
        .api_route(
            "/v1/me/password",
            put_with(
                change,
                about("change_password", "Replace the password", guarded),
            ),
        )
        .api_route(
            "/v1/password-resets",
            post_with(request, about("ask_for_reset", "Have a mail sent", &[])).put_with(
                complete,
                about("reset_password", "Set a new password", resets),
            ),
        )
        .with_path_items(|item| item.tag("sessions"))
}

/// The old password and the new one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({
    "current_password": "correct horse", "new_password": "battery staple",
}))]
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
) -> Answer<NoContent> {
    let (session, context) = (who.session(), who.command(StatusCode::NO_CONTENT));
    let changed = api
        .auth
        .change_password(session, given.current_password, given.new_password, context)
        .await?;
    Ok(NoContent::new().with(Done::of(&changed)))
}

/// Whose password is forgotten.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({ "email": "ada@example.com" }))]
struct Forgotten {
    /// The address that the account was opened with.
    email: EmailAddress,
}

/// What is answered, whoever asks for whom.
#[derive(Serialize, JsonSchema)]
struct MailAsked {
    /// For the person who asked.
    message: &'static str,
}

/// Sends a mail to the owner of the address. The answer is the same, and as soon, when nobody has it.
async fn request(
    State(api): App,
    visitor: Visitor,
    Json(given): Json<Forgotten>,
) -> Answer<Accepted<MailAsked>> {
    api.post_office
        .ask_for_reset(given.email, visitor.into_origin());
    let message = "If somebody has this address, a mail is on its way to them.";
    Ok(Accepted::of(MailAsked { message }))
}

/// What came by mail, and the new password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({
    "token": "fidoreset_dGhpcyBpcyBub3QgYSB0b2tlbiBvZiBhbnlib2R5IQ",
    "new_password": "battery staple",
}))]
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
) -> Answer<NoContent> {
    let origin = visitor.into_origin();
    api.auth
        .reset_password(&given.token, given.new_password, &origin)
        .await?;
    Ok(NoContent::new())
}
