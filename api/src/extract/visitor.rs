//! Whoever asks, signed in or not: what is known of the request itself.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::request::RequestInfo;

/// The request's id, and what the device says it is.
pub(crate) struct Visitor {
    request_id: Option<String>,
    user_agent: String,
}

impl Visitor {
    /// As in `X-Request-Id`.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.request_id.clone()
    }

    /// As in `User-Agent`; empty when the device does not say.
    pub(crate) fn user_agent(&self) -> &str {
        &self.user_agent
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            request_id: parts
                .extensions
                .get::<Arc<RequestInfo>>()
                .map(|info| info.id().to_owned()),
            user_agent: parts
                .headers
                .get(header::USER_AGENT)
                .and_then(|agent| agent.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
        })
    }
}
