//! Tells the log of refusals: forbidden access, refused commands, and strangers with a token that is
//! none. Nobody waits for it. What is merely misspelt is nobody's business, and who comes without any
//! token has tried nothing.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use fido_commands::access::Refusal;
use fido_domain::access::StrangerRefusal;
use uuid::Uuid;

use crate::Api;
use crate::extract::Visitor;
use crate::identity::presents_credential;
use crate::problem::{Kind, Problem};
use crate::request::RequestInfo;

/// Answers through `next`, and notes what the answer refuses.
pub(crate) async fn note_refusals(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(info) = request.extensions().get::<Arc<RequestInfo>>().cloned() else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let visit = Visit {
        address: Visitor::of(&parts).into_origin().address,
        method: parts.method.clone(),
        route: parts.extensions.get::<MatchedPath>().cloned(),
        presents_credential: presents_credential(&parts.headers, api.config.cookie),
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(problem) = response.extensions().get::<Arc<Problem>>() {
        visit.note(&api, info.account(), problem.kind());
    }
    response
}

/// What is told of a request that is refused.
struct Visit {
    address: Option<String>,
    method: Method,
    route: Option<MatchedPath>,
    presents_credential: bool,
}

impl Visit {
    fn note(&self, api: &Api, account: Option<Uuid>, kind: Kind) {
        let (access, address) = (api.auth.access(), self.address.as_deref());
        match account {
            Some(account) => {
                if let Some(refusal) = self.refusal(kind) {
                    access.refused(account, refusal, address);
                }
            }
            None => {
                if let Some(refusal) = self.refusal_of_a_stranger(kind) {
                    access.refused_a_stranger(refusal, address);
                }
            }
        }
    }

    fn refusal(&self, kind: Kind) -> Option<Refusal> {
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let request = format!("{} {route}", self.method);
        let refuses_commands = matches!(
            kind.status(),
            StatusCode::UNAUTHORIZED
                | StatusCode::NOT_FOUND
                | StatusCode::CONFLICT
                | StatusCode::PRECONDITION_FAILED
                | StatusCode::TOO_MANY_REQUESTS
        );
        if kind.status() == StatusCode::FORBIDDEN {
            Some(Refusal::Forbidden(request))
        } else if refuses_commands && !self.method.is_safe() {
            let problem = kind.name().to_owned();
            Some(Refusal::Command { request, problem })
        } else {
            None
        }
    }

    fn refusal_of_a_stranger(&self, kind: Kind) -> Option<StrangerRefusal> {
        if kind.status() == StatusCode::UNAUTHORIZED && kind != Kind::WrongCredentials {
            let refusal = StrangerRefusal::InvalidToken;
            self.presents_credential.then_some(refusal)
        } else if kind == Kind::CrossSite {
            Some(StrangerRefusal::CrossSite)
        } else {
            None
        }
    }
}
