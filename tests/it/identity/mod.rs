//! Who comes in and who does not: sessions on several instances, guessers, passwords, roles, and what
//! the log says of it all.

mod access;
mod password;
mod post;
mod revocation;
mod roles;
mod throttle;

use std::net::IpAddr;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{TestApp, TestUser, http_client};

/// The password with which everybody registers.
const PASSWORD: &str = "correct horse";

/// A client at another address of this machine.
fn client_at(address: [u8; 4]) -> reqwest::Client {
    drop(http_client());
    let client = reqwest::Client::builder().local_address(IpAddr::from(address));
    client.build().unwrap()
}

/// Asks for `path` at `base`, and answers with the status and the body, if there is one.
async fn ask(
    http: &reqwest::Client,
    method: Method,
    url: String,
    token: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let mut request = http.request(method, url);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// Tries to sign in; answers with the status, the body, and how long to wait.
async fn try_to_sign_in(
    http: &reqwest::Client,
    base: &str,
    email: &str,
    password: &str,
) -> (u16, Value, Option<u64>) {
    let response = http
        .post(format!("{base}/v1/sessions"))
        .json(&json!({"email": email, "password": password}))
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after");
    let wait = wait.map(|wait| wait.to_str().unwrap().parse().unwrap());
    (status, response.json().await.unwrap(), wait)
}

/// Signs `user` in once more, from another device.
async fn sign_in(app: &TestApp, name: &str) -> TestUser {
    let email = format!("{name}@example.com");
    let (status, body, _) = try_to_sign_in(&app.http, &app.url(""), &email, PASSWORD).await;
    assert_eq!(status, 201, "{body}");
    TestUser {
        account_id: body["account"]["id"].as_str().unwrap().parse().unwrap(),
        token: body["token"].as_str().unwrap().to_owned(),
    }
}

/// What the log says of the door: event types and payloads of all access streams of `subject`, in order.
async fn told(app: &TestApp, subject: Uuid) -> Vec<(String, Value)> {
    sqlx::query_as::<_, (String, sqlx::types::Json<Value>)>(
        "select event_type, payload from events \
         where aggregate_type = 'access' and metadata->>'subject' = $1 order by position",
    )
    .bind(subject.to_string())
    .fetch_all(&app.ground.pool().await)
    .await
    .unwrap()
    .into_iter()
    .map(|(event_type, payload)| (event_type, payload.0))
    .collect()
}

/// Lets `user` do more, as an operator does it.
async fn grant(app: &TestApp, user: &TestUser, role: &str) {
    let id = user.account_id.to_string();
    let mut command = app.ground.command(&["account", "grant", &id, role]);
    let output = command.output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
