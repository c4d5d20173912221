//! Around every request: an id, one line in the log, and the body of whatever problem it ends in.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use fido_commands::ambient;
use tracing::Instrument;
use uuid::Uuid;

use crate::problem::Problem;

/// Carries the request's id both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client.
const LONGEST_ID: usize = 128;

/// What is known about a request while it is being answered.
#[derive(Debug)]
pub(crate) struct RequestInfo {
    id: String,
    account: OnceLock<Uuid>,
}

impl RequestInfo {
    /// Takes over the client's id when it is 1 to 128 visible ASCII characters, or makes one.
    fn of(headers: &HeaderMap) -> Self {
        let id = headers
            .get(X_REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| (1..=LONGEST_ID).contains(&id.len()))
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
            .map_or_else(|| ambient::new_id().to_string(), str::to_owned);
        Self {
            id,
            account: OnceLock::new(),
        }
    }

    /// The id, as in `X-Request-Id`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Who turned out to be asking; nobody who is known, unless they have signed in.
    pub(crate) fn account(&self) -> Option<Uuid> {
        self.account.get().copied()
    }

    /// Notes who turned out to be asking.
    pub(crate) fn asked_by(&self, account: Uuid) {
        // Extracted twice it is the same account.
        let _ = self.account.set(account);
    }
}

/// Answers the request through `next` and tells the log about it, without any content.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let info = Arc::new(RequestInfo::of(request.headers()));
    request.extensions_mut().insert(Arc::clone(&info));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();

    let span = tracing::info_span!("request", request.id = info.id());
    let mut response = next.run(request).instrument(span).await;
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        if let Some(error) = problem.chain() {
            tracing::error!(request.id = info.id(), error, "a request failed");
        }
        response = problem.write(response, info.id());
    }
    if let Ok(id) = HeaderValue::from_str(info.id()) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    tracing::info!(
        http.method = %method,
        http.route = route.as_ref().map_or("unmatched", MatchedPath::as_str),
        http.status = response.status().as_u16(),
        duration_ms = started.elapsed().as_micros() as f64 / 1_000.0,
        request.id = info.id(),
        account.id = info.account.get().map(tracing::field::display),
        "answered a request"
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(incoming: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(incoming).unwrap());
        RequestInfo::of(&headers).id
    }

    #[test]
    fn a_sensible_id_is_taken_over() {
        assert_eq!(id_for(b"abc-123_/+="), "abc-123_/+=");
        assert_eq!(id_for(&[b'x'; 128]), "x".repeat(128));
    }

    #[test]
    fn any_other_id_is_replaced() {
        for incoming in [&b""[..], b"two words", &[b'x'; 129], b"caf\xc3\xa9"] {
            let id = id_for(incoming);
            assert!(id.parse::<Uuid>().is_ok(), "{id}");
        }
    }
}
