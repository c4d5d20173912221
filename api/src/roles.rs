//! What accounts may do beyond their own data: granted and taken back by admins.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{delete, post};
use fido_commands::account::AccountCommand;
use fido_commands::auth::Revocation;
use fido_domain::account::{Account, Role, RoleReason};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::answer::Done;
use crate::extract::{Id, Json};
use crate::identity::Admin;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/admin/accounts/{account_id}/roles", post(grant))
        .route(
            "/v1/admin/accounts/{account_id}/roles/{role}",
            delete(revoke),
        )
}

/// What an account is to be let do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    /// The role.
    role: Role,
    /// Why; stands in the log, sealed, and is shown to nobody else.
    reason: Option<RoleReason>,
}

/// What an account may do now.
#[derive(Serialize)]
struct Roles {
    /// Whose roles they are.
    account_id: Uuid,
    /// All of them.
    roles: Vec<Role>,
}

/// Lets an account do more, from its next request on.
async fn grant(
    State(api): App,
    admin: Admin,
    Id(account_id): Id,
    Json(grant): Json<Grant>,
) -> Answer<(Done, Json<Roles>)> {
    let (role, reason) = (grant.role, grant.reason);
    let command = AccountCommand::GrantRole { role, reason };
    let done = order(&api, &admin, account_id, command, StatusCode::OK).await?;
    let roles = api.auth.roles(account_id).await?;
    Ok((done, Json(Roles { account_id, roles })))
}

/// Takes that back; it holds from the account's next request on.
async fn revoke(
    State(api): App,
    admin: Admin,
    Id(account_id): Id,
    Named(role): Named,
) -> Answer<(Done, StatusCode)> {
    let command = AccountCommand::RevokeRole { role, reason: None };
    let done = StatusCode::NO_CONTENT;
    Ok((order(&api, &admin, account_id, command, done).await?, done))
}

async fn order(
    api: &Api,
    admin: &Admin,
    account_id: Uuid,
    command: AccountCommand,
    done: StatusCode,
) -> Answer<Done> {
    let context = admin.command(account_id, done);
    let ordered = api
        .store
        .execute::<Account>(account_id, command, &context)
        .await?;
    api.auth.revoked(Revocation::Roles { account_id });
    Ok(Done::of(&ordered))
}

/// The role at the end of the path. What is no role is not found.
struct Named(Role);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let unknown = || Problem::new(Kind::NotFound).field("role", "is no role");
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown())?;
        let (_, name) = parameters.iter().last().ok_or_else(unknown)?;
        let role = serde_json::from_value(name.into());
        role.map(Self).map_err(|_| unknown())
    }
}
