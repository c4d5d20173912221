//! Whoever may do more than look after their own data. What they are about to be shown is recorded
//! first: a read of staff that is not in the log has not happened.

use std::sync::Arc;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use fido_commands::CommandContext;
use fido_domain::access::{AccessEvent, QueryText};
use fido_domain::account::Role;
use fido_domain::{Actor, Private};
use uuid::Uuid;

use super::SignedIn;
use crate::document::needs;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api};

/// How much of a path is kept, in characters.
const LONGEST_PATH: usize = 200;
/// How much of a query is kept, in characters.
const LONGEST_QUERY: usize = 1_000;

/// Somebody who has signed in and has the role analyst now.
pub(crate) struct Analyst;

impl OperationInput for Analyst {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs(operation, &[Role::Analyst.as_str()]);
    }
}

/// Somebody who has signed in and has the role admin now.
pub(crate) struct Admin(SignedIn);

impl OperationInput for Admin {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs(operation, &[Role::Admin.as_str()]);
    }
}

impl Admin {
    /// A command of theirs on the data of `subject`; `done` is the status of the answer once it is done.
    pub(crate) fn command(&self, subject: Uuid, done: StatusCode) -> CommandContext {
        CommandContext {
            actor: acting(self.0.account_id, Role::Admin),
            subject,
            ..self.0.command(done)
        }
    }
}

impl FromRequestParts<Arc<Api>> for Analyst {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        holding(Role::Analyst, parts, api).await.map(|_| Self)
    }
}

impl FromRequestParts<Arc<Api>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        holding(Role::Admin, parts, api).await.map(Self)
    }
}

/// Whoever asks, if they hold `role`. When they ask to be shown something, the log knows of it.
async fn holding(role: Role, parts: &mut Parts, api: &Arc<Api>) -> Answer<SignedIn> {
    let who = SignedIn::from_request_parts(parts, api).await?;
    if !api.auth.has_role(who.account_id, role).await? {
        let needed = format!("The role `{}` is needed here.", role.as_str());
        return Err(Problem::new(Kind::Forbidden).detail(needed));
    }
    if parts.method.is_safe() {
        let context = CommandContext {
            actor: acting(who.account_id, role),
            receipt: None,
            ..who.command(StatusCode::OK)
        };
        let read = vec![sensitive_read(parts)];
        let access = api.auth.access();
        access.record(who.account_id, read, &context).await?;
    }
    Ok(who)
}

fn acting(account: Uuid, role: Role) -> Actor {
    Actor {
        account: Some(account),
        role: role.as_str().to_owned(),
    }
}

fn sensitive_read(parts: &Parts) -> AccessEvent {
    let cut = |text: &str, most| text.chars().take(most).collect::<String>();
    let query = parts.uri.query().map(|query| cut(query, LONGEST_QUERY));
    AccessEvent::SensitiveRead {
        path: cut(parts.uri.path(), LONGEST_PATH),
        // A query is visible ASCII, so all that is no text is an empty one.
        query: query
            .and_then(|query| QueryText::parse(query).ok())
            .map(Private::new),
    }
}
