//! What accounts may do beyond their own data: granted and taken back by admins.

use std::sync::Arc;

use aide::OperationInput;
use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, post_with};
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use fido_commands::account::AccountCommand;
use fido_commands::auth::Revocation;
use fido_domain::account::{Account, Role, RoleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::answer::{Done, Found, NoContent};
use crate::document::{about, path_parameter};
use crate::extract::{Id, Json};
use crate::identity::Admin;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let kept = &[Kind::Conflict];
    ApiRouter::new()
        .api_route(
            "/v1/admin/accounts/{account_id}/roles",
            post_with(grant, about("grant_role", "Let an account do more", &[])),
        )
        .api_route(
            "/v1/admin/accounts/{account_id}/roles/{role}",
            delete_with(revoke, about("revoke_role", "Take a role back", kept)),
        )
        .with_path_items(|item| item.tag("operators"))
}

/// What an account is to be let do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({ "role": "analyst", "reason": "Looks after the figures" }))]
struct Grant {
    /// The role.
    role: Role,
    /// Why; stands in the log, sealed, and is shown to nobody else.
    reason: Option<RoleReason>,
}

/// What an account may do now.
#[derive(Serialize, JsonSchema)]
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
) -> Answer<Found<Roles>> {
    let (role, reason) = (grant.role, grant.reason);
    let command = AccountCommand::GrantRole { role, reason };
    let done = order(&api, &admin, account_id, command, StatusCode::OK).await?;
    let roles = api.auth.roles(account_id).await?;
    Ok(Found::of(Roles { account_id, roles }).with(done))
}

/// Takes that back; it holds from the account's next request on.
async fn revoke(
    State(api): App,
    admin: Admin,
    Id(account_id): Id,
    Named(role): Named,
) -> Answer<NoContent> {
    let command = AccountCommand::RevokeRole { role, reason: None };
    let done = order(&api, &admin, account_id, command, StatusCode::NO_CONTENT).await?;
    Ok(NoContent::new().with(done))
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

impl OperationInput for Named {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        path_parameter::<Role>(context, operation, "role", "Which role.");
    }
}

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
