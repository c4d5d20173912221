//! Whether this process lives, and whether it can do its work.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aide::OperationOutput;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use aide::generate::GenContext;
use aide::openapi::{self, Operation};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fido_commands::log::Log;
use fido_domain::Position;
use fido_projections::replica::Surveyed;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::answer::{Found, Reply};
use crate::document::about;
use crate::extract::Json;
use crate::problem::describe;
use crate::{Api, App};

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    ApiRouter::new()
        .api_route(
            "/healthz",
            get_with(alive, about("healthz", "Whether this process lives", &[])),
        )
        .api_route(
            "/readyz",
            get_with(ready, about("readyz", "Whether it can do its work", &[])),
        )
        .with_path_items(|item| item.tag("health"))
}

/// That a process answers at all.
#[derive(Debug, Serialize, JsonSchema)]
struct Alive {
    /// `alive`.
    status: &'static str,
}

async fn alive() -> Found<Alive> {
    Found::of(Alive { status: "alive" })
}

/// What was found last, and when the looking began.
pub(crate) type LastLook = tokio::sync::Mutex<Option<(Instant, Readiness)>>;

async fn ready(State(api): App) -> Readiness {
    let arrived = Instant::now();
    // Everything is asked once for all who have come while somebody else was waiting.
    let mut last = api.last_look.lock().await;
    match &*last {
        Some((began, readiness)) if *began >= arrived => readiness.clone(),
        _ => {
            let began = Instant::now();
            let readiness = look(&api).await;
            *last = Some((began, readiness.clone()));
            readiness
        }
    }
}

async fn look(api: &Api) -> Readiness {
    let log = Log::new(api.store.pool().clone());
    let (event_store, surveyed, nats) = futures::join!(
        ask("event_store", log.head()),
        api.replicas.survey(),
        ask("nats", api.nats.ping()),
    );
    let replicas: Vec<_> = surveyed.iter().map(ReplicaHealth::of).collect();
    let readiness = Readiness::of(Parts {
        event_store,
        replica: together(&replicas),
        nats,
    });
    Readiness {
        replicas,
        ..readiness
    }
}

/// Whether a part can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reached {
    /// It answers.
    Ok,
    /// Some of it.
    Degraded,
    /// It does not answer.
    Unreachable,
}

/// How one replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Fares {
    /// It answers, and its projector is at work.
    Ok,
    /// Streams are left out of it, or its projector stands still.
    Ailing,
    /// It belongs to another installation, and is not asked.
    OtherLog,
    /// It does not answer.
    Unreachable,
}

/// One replica, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct ReplicaHealth {
    /// Its name in the configuration.
    name: String,
    /// How it is.
    status: Fares,
    /// What it shows the log up to.
    position: Option<Position>,
    /// No ordinary query goes there.
    #[serde(skip)]
    is_reserved: bool,
}

impl ReplicaHealth {
    fn of(replica: &Surveyed) -> Self {
        let status = match &replica.found {
            Err(error) => {
                let (name, error) = (&replica.name, describe(error));
                tracing::warn!(replica.name = name, error, "a replica cannot be reached");
                Fares::Unreachable
            }
            Ok(_) if replica.is_other_log => Fares::OtherLog,
            Ok(_) if replica.is_ailing() => Fares::Ailing,
            Ok(_) => Fares::Ok,
        };
        let shown = replica.found.as_ref().ok();
        Self {
            name: replica.name.clone(),
            status,
            position: shown.map(|shown| shown.position),
            is_reserved: replica.is_reserved,
        }
    }

    fn answers(&self) -> bool {
        !self.is_reserved && matches!(self.status, Fares::Ok | Fares::Ailing)
    }
}

/// All replicas as one part: one that answers ordinary queries is enough to be ready.
fn together(replicas: &[ReplicaHealth]) -> Reached {
    if replicas.iter().all(|replica| replica.status == Fares::Ok) {
        Reached::Ok
    } else if replicas.iter().any(ReplicaHealth::answers) {
        Reached::Degraded
    } else {
        Reached::Unreachable
    }
}

/// What the API cannot do without.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
struct Parts {
    /// Where events are appended.
    event_store: Reached,
    /// All replicas together.
    replica: Reached,
    /// The broker.
    nats: Reached,
}

/// Whether this process can do its work, and what of that it cannot.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Readiness {
    /// `ready` or `not_ready`.
    status: &'static str,
    /// What it needs.
    parts: Parts,
    /// Each replica.
    replicas: Vec<ReplicaHealth>,
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        (self.http_status(), Json(self)).into_response()
    }
}

/// The same body says that it is, and what is missing when it is not.
impl OperationOutput for Readiness {
    type Inner = Self;

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<openapi::StatusCode>, openapi::Response)> {
        let mut responses = Reply::<200, Self>::inferred_responses(context, operation);
        responses.extend(Reply::<503, Self>::inferred_responses(context, operation));
        responses
    }
}

impl Readiness {
    fn of(parts: Parts) -> Self {
        let all = [parts.event_store, parts.replica, parts.nats];
        let ready = !all.contains(&Reached::Unreachable);
        Self {
            status: if ready { "ready" } else { "not_ready" },
            parts,
            replicas: Vec::new(),
        }
    }

    fn http_status(&self) -> StatusCode {
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
                "replicas": [],
            })
        );
    }

    fn replica(status: Fares, is_reserved: bool) -> ReplicaHealth {
        ReplicaHealth {
            name: "replica1".to_owned(),
            status,
            position: None,
            is_reserved,
        }
    }

    #[test]
    fn one_replica_that_answers_is_enough() {
        let gone = || replica(Fares::Unreachable, false);
        let well = || replica(Fares::Ok, false);
        assert_eq!(together(&[well(), well()]), Reached::Ok);
        assert_eq!(together(&[well(), gone()]), Reached::Degraded);
        assert_eq!(
            together(&[gone(), replica(Fares::Ailing, false)]),
            Reached::Degraded
        );
        assert_eq!(together(&[gone(), gone()]), Reached::Unreachable);
        assert_eq!(
            together(&[replica(Fares::OtherLog, false)]),
            Reached::Unreachable
        );
        let for_analysts_alone = [gone(), replica(Fares::Ok, true)];
        assert_eq!(together(&for_analysts_alone), Reached::Unreachable);
    }

    #[test]
    fn what_is_degraded_is_ready() {
        let readiness = Readiness::of(Parts {
            event_store: Reached::Ok,
            replica: Reached::Degraded,
            nats: Reached::Ok,
        });
        assert_eq!(readiness.http_status(), StatusCode::OK);
    }
}
