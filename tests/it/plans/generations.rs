//! Generations: asked for once at a time, readable, and cancelled.

use reqwest::Method;
use serde_json::json;

use super::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_is_asked_for_read_and_cancelled() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let generations = scene.path("/generations");
    let wanted = json!({"sections": ["owner_bio", "market_analysis"], "instructions": "Be short"});
    let request = || app.ask(ada, Method::POST, &generations).json(&wanted);
    let asked = request().header("Idempotency-Key", "g-1").expect(202).await;
    let generation = &asked.body["generation"];
    assert_eq!(generation["status"], "requested");
    assert_eq!(generation["instructions"], "Be short");
    let pending = json!([
        {"section": "market_analysis", "status": "pending"},
        {"section": "owner_bio", "status": "pending"},
    ]);
    assert_eq!(generation["sections"], pending);
    assert_eq!(asked.body["position"], asked.position());
    let again = request().header("Idempotency-Key", "g-1").expect(202).await;
    assert_eq!(again.body, asked.body);
    request().refused(409, "generation-in-progress").await;

    let path = asked.header("location").unwrap();
    let read = app.ask(ada, Method::GET, path).at(asked.position());
    let read = read.expect(200).await;
    assert_eq!(read.body, *generation);
    let list = app.ask(ada, Method::GET, &generations).at(asked.position());
    assert_eq!(
        list.expect(200).await.body["items"][0]["id"],
        generation["id"]
    );

    let cancel = || app.ask(ada, Method::POST, &format!("{path}/cancel"));
    let cancelled = cancel().expect(202).await;
    assert_eq!(cancelled.body["status"], "cancelled");
    assert!(cancelled.body["duration_ms"].as_i64().unwrap() >= 0);
    let read = app.ask(ada, Method::GET, path).at(cancelled.position());
    let read = read.expect(200).await;
    assert_eq!(read.body, cancelled.body);
    assert_ne!(read.etag(), "\"2\"");
    assert_eq!(cancel().expect(202).await.position(), cancelled.position());
    let unknown = format!("{generations}/0190b5a4-7c3e-7000-8000-000000000000");
    app.ask(ada, Method::GET, &unknown)
        .refused(404, "not-found")
        .await;
    let cancel = app.ask(ada, Method::POST, &format!("{unknown}/cancel"));
    cancel.refused(404, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_must_be_something_to_write() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let generations = scene.path("/generations");
    let request = |body| app.ask(ada, Method::POST, &generations).json(&body);
    request(json!({"sections": []}))
        .refused(409, "nothing-to-generate")
        .await;
    let unknown = request(json!({"sections": ["weather"]}));
    unknown.refused(422, "invalid-body").await;
    scene.write("owner_bio", "Ada bakes", "\"0\"").await;
    let approve = scene.path("/sections/owner_bio/approve");
    app.ask(ada, Method::POST, &approve).expect(200).await;
    request(json!({"sections": ["owner_bio"]}))
        .refused(409, "section-approved")
        .await;
    let all = request(json!({})).expect(202).await;
    let sections = all.body["generation"]["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 8, "all but the approved one");
}
