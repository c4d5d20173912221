//! `Idempotency-Key`: a request that is sent again has one effect, and gets the first answer again.
//!
//! What belongs to the key is read here, for every route that changes something; the store decides
//! ([`fido_commands::Receipt`]). Routes that issue tokens do not ask for it.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fido_commands::Receipt;
use fido_commands::vault::Pepper;
use uuid::Uuid;

use crate::Answer;
use crate::extract::read_body;
use crate::problem::{Kind, Problem};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key that is taken.
const LONGEST: usize = 255;

/// A key, and everything that was asked under it.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    key: String,
    method: Method,
    target: String,
    body: Bytes,
}

impl Keyed {
    /// What is written down of the request of `account_id`: hashes only.
    pub(crate) fn receipt(&self, account_id: Uuid, pepper: &Pepper) -> Receipt {
        let account = account_id.as_bytes().as_slice();
        let (method, target) = (self.method.as_str().as_bytes(), self.target.as_bytes());
        Receipt {
            account_id,
            key_hash: pepper.hash("idempotency key", &[account, self.key.as_bytes()]),
            request_hash: pepper.hash("request", &[account, method, target, &self.body]),
            status: 0,
        }
    }
}

/// Reads the key and what belongs to it, where there is one.
pub(crate) async fn read(request: Request, next: Next) -> Response {
    let changes = matches!(
        *request.method(),
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    );
    if !changes || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    match keyed(request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn keyed(request: Request) -> Answer<Request> {
    let (mut parts, body) = request.into_parts();
    let key = key(&parts.headers)?.to_owned();
    let body = read_body(body).await?;
    parts.extensions.insert(Keyed {
        key,
        method: parts.method.clone(),
        target: parts.uri.to_string(),
        body: body.clone(),
    });
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn key(headers: &HeaderMap) -> Answer<&str> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = keys.next().and_then(|key| key.to_str().ok());
    key.filter(|key| (1..=LONGEST).contains(&key.len()))
        .filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()))
        .filter(|_| keys.next().is_none())
        .ok_or_else(|| {
            Problem::new(Kind::InvalidParameter).field(
                "Idempotency-Key",
                "must be one key of 1 to 255 visible ASCII characters",
            )
        })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepted(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_str(value).unwrap());
        }
        key(&headers).is_ok()
    }

    #[test]
    fn a_key_is_one_visible_word() {
        assert!(accepted(&["a"]) && accepted(&[&"x".repeat(255)]));
        for wrong in [
            &["", ""][..],
            &["two words"],
            &["a", "a"],
            &[&"x".repeat(256)],
        ] {
            assert!(!accepted(wrong), "{wrong:?}");
        }
    }
}
