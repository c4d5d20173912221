//! Whoever asks, signed in or not: what is known of the request itself.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use aide::OperationInput;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use fido_commands::Origin;

use crate::request::RequestInfo;

/// How much of what a device says of itself is kept, in characters.
const LONGEST_AGENT: usize = 200;

/// The request as commands are told of it.
pub(crate) struct Visitor {
    origin: Origin,
}

impl Visitor {
    /// What commands keep of the request.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn into_origin(self) -> Origin {
        self.origin
    }

    /// As in `User-Agent`; empty when the device does not say.
    pub(crate) fn user_agent(&self) -> &str {
        self.origin.user_agent.as_deref().unwrap_or_default()
    }

    /// What is known of the request with this head.
    pub(crate) fn of(parts: &Parts) -> Self {
        let info = parts.extensions.get::<Arc<RequestInfo>>();
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let agent = parts.headers.get(header::USER_AGENT);
        let origin = Origin {
            request_id: info.map(|info| info.id().to_owned()),
            address: address.map(|ConnectInfo(address)| address.ip().to_string()),
            user_agent: agent
                .and_then(|agent| agent.to_str().ok())
                .map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
            receipt: None,
        };
        Self { origin }
    }
}

impl OperationInput for Visitor {}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
