//! Every route: how it is asked well, and the status that it then answers. What follows from the
//! document (who may, which parameters there are) is not repeated here.

use reqwest::Method;
use serde_json::{Value, json};

/// A route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The status when all is well.
    pub(super) done: u16,
    /// A body that is accepted.
    pub(super) body: Option<Value>,
    /// What is sent as `If-Match`, where something must be.
    pub(super) seen: Option<&'static str>,
    /// Whether the same request under the same `Idempotency-Key` gets the first answer again.
    pub(super) is_keyed: bool,
}

impl Route {
    fn new(method: Method, path: &'static str, done: u16) -> Self {
        Self {
            method,
            path,
            done,
            body: None,
            seen: None,
            is_keyed: false,
        }
    }

    /// The same, to be changed in one point.
    pub(super) fn like(&self) -> Self {
        Self {
            method: self.method.clone(),
            body: self.body.clone(),
            ..*self
        }
    }

    fn sending(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn seeing(mut self, tag: &'static str) -> Self {
        self.seen = Some(tag);
        self
    }

    /// Where nothing is configured for it, there is nothing.
    fn absent(mut self) -> Self {
        self.done = 404;
        self
    }

    fn keyed(mut self) -> Self {
        self.is_keyed = true;
        self
    }
}

fn get(path: &'static str) -> Route {
    Route::new(Method::GET, path, 200)
}

fn post(path: &'static str, done: u16, body: Value) -> Route {
    Route::new(Method::POST, path, done).sending(body)
}

fn put(path: &'static str, done: u16, body: Value) -> Route {
    Route::new(Method::PUT, path, done).sending(body)
}

fn patch(path: &'static str, body: Value) -> Route {
    Route::new(Method::PATCH, path, 200).sending(body)
}

/// A change that its path says all about.
fn act(path: &'static str, done: u16) -> Route {
    Route::new(Method::POST, path, done)
}

fn delete(path: &'static str, done: u16) -> Route {
    Route::new(Method::DELETE, path, done)
}

/// In an order in which each of them can succeed: what ends something comes last.
pub(super) fn table() -> Vec<Route> {
    vec![
        get("/healthz"),
        get("/readyz"),
        post(
            "/v1/accounts",
            201,
            json!({ "email": "eve@example.com", "password": "correct horse", "display_name": "Eve" }),
        ),
        get("/v1/me"),
        patch("/v1/me", json!({ "company_name": "Ada's Bakery" })).keyed(),
        patch("/v1/me/preferences", json!({ "response_style": "concise" })).keyed(),
        post(
            "/v1/me/consents",
            201,
            json!({ "policy_version": "privacy-2026-01", "accepted": true }),
        )
        .keyed(),
        get("/v1/me/usage"),
        get("/v1/me/export"),
        post(
            "/v1/sessions",
            201,
            json!({ "email": "ada@example.com", "password": "correct horse" }),
        ),
        get("/v1/sessions"),
        get("/v1/copilots"),
        post(
            "/v1/conversations",
            201,
            json!({ "copilot": "growth_engine" }),
        )
        .keyed(),
        get("/v1/conversations"),
        get("/v1/conversations/{conversation_id}"),
        post(
            "/v1/conversations/{conversation_id}/messages",
            202,
            json!({ "text": "Hello" }),
        )
        .keyed(),
        get("/v1/conversations/{conversation_id}/messages"),
        patch(
            "/v1/conversations/{conversation_id}",
            json!({ "title": "Guests" }),
        )
        .keyed(),
        act(
            "/v1/conversations/{conversation_id}/replies/{reply_id}/cancel",
            202,
        )
        .keyed(),
        // The reply to the message above is awaited.
        act(
            "/v1/conversations/{conversation_id}/replies/{reply_id}/regenerate",
            409,
        ),
        put(
            "/v1/conversations/{conversation_id}/replies/{reply_id}/rating",
            204,
            json!({ "rating": "up" }),
        ),
        post("/v1/plans", 201, json!({ "title": "The bakery" })).keyed(),
        get("/v1/plans"),
        get("/v1/plans/{plan_id}"),
        patch("/v1/plans/{plan_id}", json!({ "title": "The mill" })).keyed(),
        get("/v1/plans/{plan_id}/history"),
        get("/v1/plans/{plan_id}/export"),
        get("/v1/plans/{plan_id}/sections/{section}"),
        put(
            "/v1/plans/{plan_id}/sections/{section}",
            200,
            json!({ "text": "Students and commuters." }),
        )
        .seeing("*")
        .keyed(),
        get("/v1/plans/{plan_id}/sections/{section}/revisions"),
        act(
            "/v1/plans/{plan_id}/sections/{section}/revisions/{revision}/restore",
            200,
        )
        .keyed(),
        act("/v1/plans/{plan_id}/sections/{section}/approve", 200).keyed(),
        act("/v1/plans/{plan_id}/sections/{section}/reopen", 200).keyed(),
        get("/v1/plans/{plan_id}/facts"),
        put(
            "/v1/plans/{plan_id}/facts/{key}",
            200,
            json!({ "value": "900 EUR" }),
        )
        .keyed(),
        delete("/v1/plans/{plan_id}/facts/{key}", 204),
        get("/v1/plans/{plan_id}/generations"),
        get("/v1/plans/{plan_id}/generations/{generation_id}"),
        act(
            "/v1/plans/{plan_id}/generations/{generation_id}/cancel",
            202,
        )
        .keyed(),
        post("/v1/plans/{plan_id}/generations", 202, json!({})).keyed(),
        delete("/v1/plans/{plan_id}", 204),
        get("/v1/stream"),
        get("/v1/analytics/{view}"),
        get("/v1/auth/oidc/{provider}/start").absent(),
        get("/v1/auth/oidc/{provider}/callback").absent(),
        post("/v1/auth/oidc/{provider}/link", 200, json!({})).absent(),
        post(
            "/v1/admin/accounts/{account_id}/roles",
            200,
            json!({ "role": "auditor" }),
        )
        .keyed(),
        delete("/v1/admin/accounts/{account_id}/roles/{role}", 204),
        post(
            "/v1/password-resets",
            202,
            json!({ "email": "ada@example.com" }),
        ),
        // What is good stands in a mail alone.
        put(
            "/v1/password-resets",
            422,
            json!({ "token": "fidoreset_AAAA", "new_password": "battery staple" }),
        ),
        delete("/v1/conversations/{conversation_id}", 202),
        delete("/v1/sessions/{session_id}", 204),
        put(
            "/v1/me/password",
            204,
            json!({ "current_password": "correct horse", "new_password": "battery staple" }),
        ),
        delete("/v1/sessions/current", 204),
        delete("/v1/me", 202).sending(json!({ "password": "correct horse" })),
    ]
}
