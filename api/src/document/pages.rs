//! The document itself, and a page to read it.

use aide::openapi::OpenApi;
use aide::redoc::Redoc;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// The page loads nothing but the document; its script and styles are in it.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
    img-src 'self' data:; worker-src blob:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Anyone may keep both for a while.
const KEPT: &str = "public, max-age=300";

/// Routes to both, which are none of the document's own.
pub(crate) fn pages<S>(document: &OpenApi) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    // It was made of strings and numbers, which always serialize.
    let json = Bytes::from(serde_json::to_vec(document).unwrap_or_default());
    let html = Redoc::new("/openapi.json").with_title("Fido's API").html();
    let html = Bytes::from(html);
    let json = move || answer(json.clone(), "application/json", None);
    let html = move || answer(html.clone(), "text/html; charset=utf-8", Some(POLICY));
    Router::new()
        .route("/openapi.json", get(json))
        .route("/docs", get(html))
}

async fn answer(
    body: Bytes,
    of_type: &'static str,
    policy: Option<&'static str>,
) -> impl IntoResponse {
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(of_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(KEPT)),
    ];
    let policy = policy.map(|policy| {
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(policy),
        )
    });
    let mut response = (head, body).into_response();
    response.headers_mut().extend(policy);
    response
}
