//! Whether this process lives, and whether it can do its work.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use fido_commands::log::Log;
use serde::Serialize;
use tokio::time::timeout;

use crate::extract::Json;
use crate::problem::describe;
use crate::{Api, App};

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
}

async fn alive() -> impl IntoResponse {
    Json(serde_json::json!({ "status": "alive" }))
}

async fn ready(State(api): App) -> impl IntoResponse {
    let log = Log::new(api.store.pool().clone());
    let (event_store, replica, nats) = futures::join!(
        ask("event_store", log.head()),
        ask("replica", api.replicas.ping()),
        ask("nats", api.nats.ping()),
    );
    let readiness = Readiness::of(Parts {
        event_store,
        replica,
        nats,
    });
    (readiness.http_status(), Json(readiness))
}

/// Whether a part can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Reached {
    Ok,
    Unreachable,
}

/// What the API cannot do without.
#[derive(Debug, Clone, Copy, Serialize)]
struct Parts {
    event_store: Reached,
    replica: Reached,
    nats: Reached,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Readiness {
    status: &'static str,
    parts: Parts,
}

impl Readiness {
    fn of(parts: Parts) -> Self {
        let all = [parts.event_store, parts.replica, parts.nats];
        let ready = all.iter().all(|part| *part == Reached::Ok);
        Self {
            status: if ready { "ready" } else { "not_ready" },
            parts,
        }
    }

    fn http_status(self) -> StatusCode {
        if self.status == "ready" {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn ask<T, E: Error + 'static>(
    part: &'static str,
    answer: impl Future<Output = Result<T, E>>,
) -> Reached {
    let error = match timeout(PATIENCE, answer).await {
        Ok(Ok(_)) => return Reached::Ok,
        Ok(Err(error)) => describe(&error),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    tracing::warn!(part, error, "not ready: a part cannot be reached");
    Reached::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_that_is_missing_is_named_and_makes_all_unready() {
        let readiness = Readiness::of(Parts {
            event_store: Reached::Ok,
            replica: Reached::Ok,
            nats: Reached::Unreachable,
        });
        assert_eq!(readiness.http_status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            serde_json::to_value(readiness).unwrap(),
            serde_json::json!({
                "status": "not_ready",
                "parts": { "event_store": "ok", "replica": "ok", "nats": "unreachable" },
            })
        );
    }
}
