//! `/v1/me`: what people tell about themselves, what they have used, take with them, and erase.

mod erasure;
mod export;
mod profile;
mod usage;

use reqwest::{Method, Response};
use serde_json::Value;

use crate::app::{TestApp, TestUser};

/// Sends `body` as `user`.
async fn send(app: &TestApp, user: &TestUser, method: Method, path: &str, body: Value) -> Response {
    let request = app.http.request(method, app.url(path));
    let request = request.bearer_auth(&user.token).json(&body);
    request.send().await.unwrap()
}

/// PATCHes as `user`, expects success, answers with the account and the position.
async fn patch(app: &TestApp, user: &TestUser, path: &str, body: Value) -> (Value, i64) {
    let response = send(app, user, Method::PATCH, path, body).await;
    let (status, position) = (response.status(), position(&response));
    let account: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{account}");
    (account, position)
}

fn position(response: &Response) -> i64 {
    response.headers()["fido-position"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}
