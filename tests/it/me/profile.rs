//! What people tell about themselves, how they want to be answered, and what they agree to.

use fido_commands::log::Log;
use fido_domain::Recorded;
use reqwest::Method;
use serde_json::{Value, json};

use super::{patch, position, send};
use crate::app::TestApp;

/// The names of the events of somebody's account.
async fn events(app: &TestApp, id: uuid::Uuid) -> Vec<Recorded> {
    let log = Log::new(app.ground.pool().await);
    log.stream("account", id).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_told_piece_by_piece() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let whole = json!({
        "display_name": "Ada L.",
        "company_name": "Ada's Bakery",
        "business_type": "Bakery",
        "company_size": "2-10",
        "monthly_revenue": {"amount": "1200.50", "currency": "EUR"},
        "goals": "A second shop,\nand bread for Graz",
    });
    let (told, at) = patch(&app, &ada, "/v1/me", whole.clone()).await;
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(&told[field], value, "{field}");
    }
    let seen = app.get(&ada, "/v1/me", at).await;
    assert_eq!(seen, told, "a replica shows what the log says");

    // What is left out stays, null takes away.
    let change = json!({"goals": null, "monthly_revenue": null, "company_size": "11-50"});
    let (told, at) = patch(&app, &ada, "/v1/me", change).await;
    assert_eq!(told["goals"], Value::Null);
    assert_eq!(told["monthly_revenue"], Value::Null);
    assert_eq!(told["company_size"], "11-50");
    assert_eq!(told["company_name"], "Ada's Bakery");
    assert_eq!(app.get(&ada, "/v1/me", at).await, told);

    // Said again, nothing happens; and nothing that was told is readable where it is stored.
    let (same, again) = patch(
        &app,
        &ada,
        "/v1/me",
        json!({"goals": null, "company_size": "11-50"}),
    )
    .await;
    assert_eq!((same, again), (told, at));
    let events = events(&app, ada.account_id).await;
    assert_eq!(events.len(), 3, "registered, revised twice");
    let stored = events[1].payload.get();
    assert!(
        !stored.contains("Bakery") && !stored.contains("1200"),
        "{stored}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_are_chosen_and_left_to_fido_again() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let nothing = json!({
        "model": null, "response_style": null, "temperature": null, "save_history": null,
    });
    let me = app.get(&ada, "/v1/me", 1).await;
    assert_eq!(me["preferences"], nothing);
    let chosen = json!({
        "model": "gpt-6-luna", "response_style": "concise", "temperature": 0.7, "save_history": false,
    });
    let (told, at) = patch(&app, &ada, "/v1/me/preferences", chosen.clone()).await;
    assert_eq!(told["preferences"], chosen);
    assert_eq!(app.get(&ada, "/v1/me", at).await, told);
    let (_, again) = patch(&app, &ada, "/v1/me/preferences", chosen).await;
    assert_eq!(again, at, "chosen already");
    let (told, at) = patch(&app, &ada, "/v1/me/preferences", nothing.clone()).await;
    assert_eq!(told["preferences"], nothing);
    assert_eq!(app.get(&ada, "/v1/me", at).await, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_given_and_withdrawn() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let decide = async |accepted: bool| {
        let body = json!({"policy_version": "privacy-2026-01", "accepted": accepted});
        let response = send(&app, &ada, Method::POST, "/v1/me/consents", body).await;
        assert_eq!(response.status(), 201);
        let at = position(&response);
        (response.json::<Value>().await.unwrap(), at)
    };
    let (never, before) = decide(false).await;
    assert_eq!(
        never["decided_at"],
        Value::Null,
        "there was nothing to withdraw"
    );
    let (given, at) = decide(true).await;
    assert_eq!(given["accepted"], true);
    assert!(at > before && given["decided_at"].is_string());
    assert_eq!(decide(true).await, (given, at), "agreed to already");
    let (withdrawn, at) = decide(false).await;
    assert_eq!(withdrawn["accepted"], false);
    let me = app.get(&ada, "/v1/me", at).await;
    assert_eq!(me["consents"], json!([withdrawn]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_of_an_account_changes_with_it() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let tag = async |body: Value| {
        let response = send(&app, &ada, Method::PATCH, "/v1/me", body).await;
        response.headers()["etag"].to_str().unwrap().to_owned()
    };
    let first = tag(json!({"goals": "Bread"})).await;
    assert_eq!(tag(json!({"goals": "Bread"})).await, first);
    assert_ne!(tag(json!({"goals": "Cake"})).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_right_is_named_and_changes_nothing() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    for (path, body, field) in [
        ("/v1/me", json!({"display_name": null}), "display_name"),
        ("/v1/me", json!({"display_name": " "}), "display_name"),
        (
            "/v1/me",
            json!({"company_name": "x".repeat(201)}),
            "company_name",
        ),
        ("/v1/me", json!({"business_type": 7}), "business_type"),
        ("/v1/me", json!({"company_size": "many"}), "company_size"),
        ("/v1/me", json!({"goals": "x".repeat(2_001)}), "goals"),
        ("/v1/me", json!({"email": "eve@example.com"}), "email"),
        (
            "/v1/me",
            json!({"monthly_revenue": {"amount": 1200.5, "currency": "EUR"}}),
            "monthly_revenue.amount",
        ),
        (
            "/v1/me",
            json!({"monthly_revenue": {"amount": "1e3", "currency": "EUR"}}),
            "monthly_revenue.amount",
        ),
        (
            "/v1/me",
            json!({"monthly_revenue": {"amount": "1", "currency": "euro"}}),
            "monthly_revenue.currency",
        ),
        (
            "/v1/me",
            json!({"monthly_revenue": {"amount": "1"}}),
            "monthly_revenue.currency",
        ),
        ("/v1/me/preferences", json!({"model": "a model"}), "model"),
        (
            "/v1/me/preferences",
            json!({"response_style": "rude"}),
            "response_style",
        ),
        (
            "/v1/me/preferences",
            json!({"temperature": 2.1}),
            "temperature",
        ),
        (
            "/v1/me/preferences",
            json!({"temperature": "0.7"}),
            "temperature",
        ),
        (
            "/v1/me/preferences",
            json!({"save_history": "no"}),
            "save_history",
        ),
    ] {
        let response = send(&app, &ada, Method::PATCH, path, body.clone()).await;
        assert_eq!(response.status(), 422, "{body}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    assert_eq!(events(&app, ada.account_id).await.len(), 1);
}
