//! After an erasure nobody is there any more, and whoever comes with the same address is new.

use reqwest::Method;
use serde_json::{Value, json};

use super::{patch, send};
use crate::app::{TestApp, TestUser};

async fn refused(app: &TestApp, user: &TestUser, body: Value) -> (u16, String) {
    let response = send(app, user, Method::DELETE, "/v1/me", body).await;
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap();
    (status, problem["type"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_account_is_gone_and_its_address_is_free() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    patch(&app, &ada, "/v1/me", json!({"goals": "A second shop"})).await;

    let body = json!({"password": "correct horse"});
    let response = send(&app, &ada, Method::DELETE, "/v1/me", body).await;
    assert_eq!(response.status(), 202);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("fido=; Max-Age=0;"), "{cookie}");
    let receipt: Value = response.json().await.unwrap();
    let position = receipt["receipt"]["position"].as_i64().unwrap();

    let me = app.http.get(app.url("/v1/me")).bearer_auth(&ada.token);
    assert_eq!(me.send().await.unwrap().status(), 401);
    let credentials = json!({"email": "ada@example.com", "password": "correct horse"});
    let sign_in = app.http.post(app.url("/v1/sessions")).json(&credentials);
    assert_eq!(sign_in.send().await.unwrap().status(), 401);

    let anew = app.register("ada").await;
    assert_ne!(anew.account_id, ada.account_id);
    let me = app.get(&anew, "/v1/me", position + 1).await;
    assert_eq!(me["goals"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whoever_knows_the_password_erases() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let wrong = refused(&app, &ada, json!({"password": "battery staple"})).await;
    assert_eq!(wrong, (401, "/problems/wrong-credentials".to_owned()));
    for body in [json!({}), json!({"password": null}), json!({"password": 7})] {
        let missing = refused(&app, &ada, body).await;
        assert_eq!(missing, (422, "/problems/invalid-body".to_owned()));
    }
    let me = app.get(&ada, "/v1/me", 1).await;
    assert_eq!(me["email"], "ada@example.com");
}
