//! Accounts: opening one, and who I am.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use fido_commands::Placed;
use fido_commands::auth::{OpenedSession, Password};
use fido_commands::vault::StreamId;
use fido_domain::account::{self as domain, AccountEvent, DisplayName};
use fido_domain::text::EmailAddress;
use fido_domain::{Evolve, Private, Recorded};
use fido_projections::account::{AccountProfile, profile};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::answer::{At, Shown};
use crate::extract::{Json, MinPosition, Visitor};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/accounts", post(register))
        .route("/v1/me", get(me))
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
    let account = Account::registered(committed.events.iter())?;
    let cookie = api.config.cookie.keep(&opened);
    let welcome = Json(Welcome::new(account, &opened));
    Ok((StatusCode::CREATED, cookie, At(committed.position), welcome))
}

async fn me(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
) -> Answer<impl IntoResponse> {
    let account = who.account_id;
    let query = |mut snapshot| async move { profile(&mut snapshot, account).await };
    let (position, found) = api.replicas.ask(at_least, query).await?;
    // Whoever has a session has an account: the replica has just not heard of it yet.
    let mut profile = found.ok_or_else(|| Problem::new(Kind::ReplicaBehind))?;
    let stream = StreamId::new(domain::Account::TYPE, who.account_id);
    let sealed = [&mut profile.email, &mut profile.display_name];
    let sealed = sealed.map(|content| (stream.clone(), content)).into();
    api.store.vault().open_all(sealed).await?;
    Ok((At(position), Json(Account::from(profile))))
}

/// An account, as shown to its owner.
#[derive(Serialize)]
pub(crate) struct Account {
    id: Uuid,
    email: Shown,
    display_name: Shown,
    roles: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl Account {
    /// What the account's own events say, content opened: the truth, whether or not a replica shows it.
    pub(crate) fn from_log(events: &[Recorded]) -> Answer<Self> {
        let mut read = Vec::with_capacity(events.len());
        for recorded in events {
            read.push((recorded.event()?, Placed::of(recorded)));
        }
        Self::registered(&read)
    }

    fn registered<'a>(
        events: impl IntoIterator<Item = &'a (AccountEvent, Placed)>,
    ) -> Answer<Self> {
        let mut account: Option<Self> = None;
        for (event, placed) in events {
            match event {
                AccountEvent::RoleGranted { role, .. } => {
                    if let Some(account) = &mut account {
                        account.roles.push(role.as_str().to_owned());
                    }
                }
                AccountEvent::RoleRevoked { role, .. } => {
                    if let Some(account) = &mut account {
                        account.roles.retain(|held| held != role.as_str());
                    }
                }
                AccountEvent::AccountRegistered {
                    email,
                    display_name,
                    roles,
                } => {
                    account = Some(Self {
                        id: placed.aggregate_id,
                        email: Shown::from(email),
                        display_name: Shown::from(display_name),
                        roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
                        created_at: placed.recorded_at,
                    });
                }
                AccountEvent::AccountErased {} => {
                    if let Some(account) = &mut account {
                        account.email = Shown::from(&Private::<String>::Erased);
                        account.display_name = Shown::from(&Private::<String>::Erased);
                    }
                }
            }
        }
        account.ok_or_else(|| Problem::new(Kind::Internal).because("an account without events"))
    }
}

impl From<AccountProfile> for Account {
    fn from(profile: AccountProfile) -> Self {
        Self {
            id: profile.account_id,
            email: Shown::from(&profile.email),
            display_name: Shown::from(&profile.display_name),
            roles: profile.roles,
            created_at: profile.created_at,
        }
    }
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
