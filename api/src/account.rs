//! Accounts: opening one, and what it is then.

mod answers;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use fido_commands::auth::{OpenedSession, Password};
use fido_domain::account::{AccountRecord, DisplayName};
use fido_domain::text::EmailAddress;
use fido_domain::{FullFold, Position};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::answer::At;
use crate::extract::{Json, Visitor};
use crate::{Answer, Api, App};

pub(crate) use answers::{Account, Consent};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/v1/accounts", post(register))
}

/// What a person gives to open an account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: EmailAddress,
    password: Password,
    display_name: DisplayName,
}

async fn register(
    State(api): App,
    visitor: Visitor,
    Json(new): Json<Registration>,
) -> Answer<impl IntoResponse> {
    let auth = &api.auth;
    let (account_id, committed) = auth
        .register(new.email, new.password, new.display_name, visitor.origin())
        .await?;
    let opened = auth.open_session(account_id, visitor.user_agent()).await?;
    let (account, _) = recorded(&api, account_id).await?;
    let cookie = api.config.cookie.keep(&opened);
    let welcome = Json(Welcome::new(account, &opened));
    Ok((StatusCode::CREATED, cookie, At(committed.position), welcome))
}

/// The account as its own events say, and where the last of them stands: the truth, whether or not a
/// replica shows it.
pub(crate) async fn recorded(api: &Api, account_id: Uuid) -> Answer<(Account, Position)> {
    let events = api.auth.account_events(account_id).await?;
    let mut record = AccountRecord::default();
    for recorded in &events {
        record.evolve(&recorded.event()?, recorded.stamp());
    }
    let position = events.last().map_or(0, |last| last.position);
    Ok((Account::recorded(account_id, record)?, position))
}

/// What a device needs from now on: who it acts for, and the token, this once.
#[derive(Serialize)]
pub(crate) struct Welcome {
    account: Account,
    token: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl Welcome {
    pub(crate) fn new(account: Account, opened: &OpenedSession) -> Self {
        Self {
            account,
            token: opened.token.reveal().to_owned(),
            expires_at: opened.expires_at,
        }
    }
}
