//! All routes, and what lies around each of them.

use std::any::Any;
use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::openapi::OpenApi;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::document::{self, Documented};
use crate::problem::{Kind, Problem};
use crate::request::observe;
use crate::{
    Api, access, account, analytics, conversation, copilots, health, idempotency, linger, me, oidc,
    password, plan, roles, session, stream,
};

/// The API as a service. Event streams come alive when [`serve`](crate::serve()) follows the log.
pub fn router(api: Arc<Api>) -> Router {
    let Documented {
        router,
        document,
        mistakes,
    } = document::document(routes);
    for mistake in mistakes {
        tracing::error!(mistake, "the API's document is not right");
    }
    let noting = from_fn_with_state(Arc::clone(&api), access::note_refusals);
    let router = router.layer(noting);
    around(router.merge(document::pages(&document))).with_state(api)
}

/// What the API says of itself: `GET /openapi.json`.
pub fn openapi() -> OpenApi {
    document::document(routes).document
}

/// How to add one is told in [`document`](crate::document).
pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    ApiRouter::new()
        .merge(account::routes())
        .merge(me::routes())
        .merge(oidc::routes())
        .merge(password::routes())
        .merge(roles::routes())
        .merge(session::routes())
        .merge(copilots::routes())
        .merge(conversation::routes())
        .merge(plan::routes())
        .merge(stream::routes())
        .merge(analytics::routes())
        .merge(health::routes())
}

/// The same for every route, known or not; the last layer is the outermost.
fn around<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .fallback(async || Problem::new(Kind::NotFound))
        .method_not_allowed_fallback(async || Problem::new(Kind::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(idempotency::read))
        .layer(from_fn(observe))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        // Leaves event streams alone: a compressor would hold their events back.
        .layer(CompressionLayer::new())
        .layer(map_request(linger::linger))
}

/// What the panic said may quote content; where it happened the process's panic hook tells.
fn panicked(_said: Box<dyn Any + Send>) -> Response {
    Problem::new(Kind::Internal)
        .because("a handler panicked")
        .into_response()
}

#[cfg(test)]
mod tests;
