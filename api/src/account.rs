//! Accounts: opening one, and what it is then.

mod answers;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::post_with;
use axum::extract::State;
use fido_commands::auth::{OpenedSession, Password};
use fido_domain::account::{AccountRecord, DisplayName};
use fido_domain::text::EmailAddress;
use fido_domain::{FullFold, Position};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::answer::{At, Created};
use crate::document::about;
use crate::extract::{Json, Visitor};
use crate::problem::Kind;
use crate::{Answer, Api, App};

pub(crate) use answers::{Account, Consent};

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let taken = &[Kind::EmailTaken, Kind::Busy, Kind::Unavailable];
    ApiRouter::new()
        .api_route(
            "/v1/accounts",
            post_with(register, about("register", "Open an account", taken)),
        )
        .with_path_items(|item| item.tag("accounts"))
}

/// What a person gives to open an account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({
    "email": "ada@example.com", "password": "correct horse", "display_name": "Ada",
}))]
struct Registration {
    /// Where to write to; one account has it.
    email: EmailAddress,
    /// To sign in with.
    password: Password,
    /// How to be addressed.
    display_name: DisplayName,
}

async fn register(
    State(api): App,
    visitor: Visitor,
    Json(new): Json<Registration>,
) -> Answer<Created<Welcome>> {
    let auth = &api.auth;
    let (account_id, committed) = auth
        .register(new.email, new.password, new.display_name, visitor.origin())
        .await?;
    let opened = auth.open_session(account_id, visitor.user_agent()).await?;
    let (account, _) = recorded(&api, account_id).await?;
    let cookie = api.config.cookie.keep(&opened);
    let welcome = Created::of(Welcome::new(account, &opened));
    Ok(welcome.with((cookie, At(committed.position))))
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
#[derive(Serialize, JsonSchema)]
pub(crate) struct Welcome {
    /// Who has signed in.
    account: Account,
    /// The session, for `Authorization: Bearer`; it is shown this once.
    token: String,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
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
