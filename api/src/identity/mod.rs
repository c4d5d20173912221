//! Who is asking: the session behind a bearer token or a cookie. Checked before a body is read.

mod cookie;
mod credential;
mod cross_site;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use fido_commands::CommandContext;
use fido_domain::Actor;
use uuid::Uuid;

use crate::problem::{Kind, Problem};
use crate::request::RequestInfo;
use crate::{Answer, Api};

pub use cookie::SessionCookie;
use credential::Credential;

/// Somebody who has signed in.
pub(crate) struct SignedIn {
    /// Who.
    pub(crate) account_id: Uuid,
    /// From which device.
    pub(crate) session_id: Uuid,
    request_id: Option<String>,
}

impl SignedIn {
    /// A command of theirs, on their own data.
    pub(crate) fn command(&self) -> CommandContext {
        CommandContext {
            request_id: self.request_id.clone(),
            ..CommandContext::new(Actor::user(self.account_id), self.account_id)
        }
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
        let info = parts.extensions.get::<Arc<RequestInfo>>();
        if let Some(info) = info {
            info.asked_by(session.account_id);
        }
        Ok(Self {
            account_id: session.account_id,
            session_id: session.session_id,
            request_id: info.map(|info| info.id().to_owned()),
        })
    }
}
