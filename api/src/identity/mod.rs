//! Who is asking: the session behind a bearer token or a cookie. Checked before a body is read.

mod cookie;
mod credential;
mod cross_site;
pub(crate) mod revocation;
mod role;

use std::sync::Arc;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use fido_commands::auth::Session;
use fido_commands::{CommandContext, Origin};
use fido_domain::Actor;
use uuid::Uuid;

use crate::document::needs;
use crate::extract::{IfMatch, Visitor};
use crate::idempotency::Keyed;
use crate::problem::{Kind, Problem};
use crate::request::RequestInfo;
use crate::{Answer, Api};

pub use cookie::SessionCookie;
use credential::Credential;
pub(crate) use role::{Admin, Analyst};

/// Whether whoever asks shows a token, good or not.
pub(crate) fn presents_credential(headers: &HeaderMap, cookie: SessionCookie) -> bool {
    Credential::of(headers, cookie).is_some()
}

/// Somebody who has signed in.
pub(crate) struct SignedIn {
    /// Who.
    pub(crate) account_id: Uuid,
    /// From which device.
    pub(crate) session_id: Uuid,
    origin: Origin,
}

impl SignedIn {
    /// The session that they show.
    pub(crate) fn session(&self) -> Session {
        Session {
            session_id: self.session_id,
            account_id: self.account_id,
        }
    }

    /// What is known of the request.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A command of theirs, on their own data; `done` is the status of the answer once it is done.
    pub(crate) fn command(&self, done: StatusCode) -> CommandContext {
        let actor = Actor::user(self.account_id);
        let mut context = self.origin.command(actor, self.account_id);
        if let Some(receipt) = &mut context.receipt {
            receipt.status = done.as_u16();
        }
        context
    }

    /// The same for what they have seen in the state that `seen` names: elsewhere it changes nothing.
    pub(crate) fn edit(&self, done: StatusCode, seen: &IfMatch) -> CommandContext {
        CommandContext {
            expected: seen.sequence(),
            ..self.command(done)
        }
    }
}

impl OperationInput for SignedIn {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs(operation, &[]);
    }
}

impl FromRequestParts<Arc<Api>> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        let nobody = || Problem::new(Kind::Unauthenticated);
        let credential = Credential::of(&parts.headers, api.config.cookie).ok_or_else(nobody)?;
        if credential.sent_by_the_browser_itself() {
            cross_site::refuse(parts)?;
        }
        let session = api.auth.session(credential.token()).await?;
        let session = session.ok_or_else(nobody)?;
        if let Some(info) = parts.extensions.get::<Arc<RequestInfo>>() {
            info.asked_by(session.account_id);
        }
        let mut origin = Visitor::of(parts).into_origin();
        if let Some(keyed) = parts.extensions.get::<Keyed>() {
            let pepper = api.store.vault().pepper().await?;
            origin.receipt = Some(keyed.receipt(session.account_id, pepper));
        }
        Ok(Self {
            account_id: session.account_id,
            session_id: session.session_id,
            origin,
        })
    }
}
