//! What an operator of several replicas sees and chooses.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::{Reader, caught_up, head, outcome, told};
use crate::app::TestApp;
use crate::dev::Dev;
use crate::ground::{Ground, new_cluster};
use crate::until::until;

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_is_shown_and_asked_and_a_dead_one_is_no_failure() {
    let (shared, mut own) = (crate::ground::cluster().await, new_cluster().await);
    let ground = Ground::with_replicas_in(&[&shared, &shared, &own]).await;
    let app = TestApp::start_on(ground).await;
    let ada = app.register("ada").await;
    app.start_conversation(&ada).await;
    caught_up(&app, &["replica1", "replica2", "replica3"]).await;
    own.kill().await.unwrap();

    let (ground, head) = (&app.ground, head(&app).await);
    let status = told(ground, &["status", "--json"]).await;
    let replicas = status["replicas"].as_array().unwrap();
    let names: Vec<_> = replicas.iter().map(|replica| &replica["name"]).collect();
    assert_eq!(names, ["replica1", "replica2", "replica3"]);
    for replica in &replicas[..2] {
        assert_eq!(replica["reachable"], true, "{status}");
        assert_eq!(replica["health"], "green", "{status}");
        assert_eq!(replica["position"], head, "{status}");
        assert_eq!(replica["lag"], 0, "{status}");
        assert_eq!(replica["epoch"], 1, "{status}");
    }
    assert_eq!(replicas[2]["reachable"], false, "{status}");
    assert_eq!(replicas[2]["health"], "red", "{status}");
    assert!(replicas[2]["position"].is_null(), "{status}");
    let words = outcome(ground, &["status"]).await.unwrap();
    let line = |name: &str| words.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("replica2").contains("lag 0"), "{words}");
    assert!(line("replica3").contains("RED: cannot be asked"), "{words}");

    // A fork is not declared before everybody was asked, unless somebody knows better.
    let fork = ["log", "fork", "--json", "--force", "--reason", "practice"];
    let refused = outcome(ground, &fork).await.unwrap_err();
    assert!(refused.contains("replica3 cannot be asked"), "{refused}");
    let beyond = (head + 10).to_string();
    let declared = told(ground, &[&fork[..], &["--beyond", &beyond]].concat()).await;
    let seen: HashMap<_, _> = declared["seen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| (seen["by"].as_str().unwrap(), &seen["position"]))
        .collect();
    assert_eq!(seen["replica1"], head);
    assert_eq!(seen["replica2"], head);
    assert_eq!(*seen["replica3"], Value::Null);

    // The API lives on two of three, and says so.
    let health = app.http.get(app.url("/readyz")).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let health: Value = health.json().await.unwrap();
    assert_eq!(health["parts"]["replica"], "degraded", "{health}");
    assert_eq!(health["replicas"][0]["status"], "ok", "{health}");
    assert_eq!(health["replicas"][2]["status"], "unreachable", "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_leaves_something_out_answers_only_when_no_other_can() {
    let app = TestApp::start_on(Ground::with_replicas(2).await).await;
    let ada = app.register("ada").await;
    app.start_conversation(&ada).await;
    caught_up(&app, &["replica1", "replica2"]).await;
    let url = &app.ground.addresses.replicas[0].url;
    let mut replica = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(
        "insert into fido.quarantine \
         select position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                payload, metadata, recorded_at, position, 'practice' \
         from fido.timeline where position = 2",
    )
    .execute(&mut replica)
    .await
    .unwrap();

    let status = told(&app.ground, &["status", "--json"]).await;
    assert_eq!(status["replicas"][0]["health"], "amber", "{status}");
    let reason = status["replicas"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "1 streams in quarantine, 1 events left out");
    assert_eq!(status["replicas"][1]["health"], "green", "{status}");
    let mut reader = Reader::begin(&app.ground).await;
    reader.replicas.survey().await;
    for _ in 0..20 {
        assert_eq!(reader.anybody().await.unwrap(), "replica2");
    }
    // The other one falls behind; now the first is all there is.
    app.stop_projecting("replica2").await;
    let id = app.start_conversation(&ada).await;
    let position = head(&app).await;
    let seen = reader.has(ada.account_id, id, Some(position)).await;
    assert!(seen.unwrap().1);
    assert_eq!(reader.answers["replica1"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_serves_the_replica_that_was_chosen() {
    let app = TestApp::start_on(Ground::with_replicas(2).await).await;
    let ada = app.register("ada").await;
    app.stop_projecting("replica2").await;
    app.start_conversation(&ada).await;
    let undecided = outcome(&app.ground, &["project"]).await.unwrap_err();
    assert!(undecided.contains("replica1, replica2"), "{undecided}");
    let arguments = ["project", "--replica", "replica2"];
    let mut process = app.ground.command(&arguments).spawn().unwrap();
    caught_up(&app, &["replica2"]).await;
    process.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_kept_for_analysts_answers_nobody_else() {
    let mut ground = Ground::with_replicas(3).await;
    ground.addresses.analyst_replica = Some("replica2".to_owned());
    let app = TestApp::start_on(ground).await;
    app.register("ada").await;
    caught_up(&app, &["replica1", "replica2", "replica3"]).await;
    let mut reader = Reader::begin(&app.ground).await;
    until("the others answer", async || {
        reader.anybody().await.unwrap();
        reader.answers.values().sum::<usize>() >= 60
    })
    .await;
    let answered: Vec<_> = reader.answers.keys().collect();
    assert_eq!(answered, ["replica1", "replica3"]);
    reader.replicas = reader.replicas.for_analysts();
    for _ in 0..20 {
        assert_eq!(reader.anybody().await.unwrap(), "replica2");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fido_dev_keeps_as_many_replicas_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start_with(folder.path(), &["--replicas", "3"]).await;
    let status: Value = serde_json::from_str(&dev.run(&["status", "--json"]).await).unwrap();
    let replicas = status["replicas"].as_array().unwrap();
    assert_eq!(replicas.len(), 3, "{status}");
    for replica in replicas {
        assert_eq!(replica["health"], "green", "{status}");
        assert_eq!(replica["epoch"], 1, "each has a projector: {status}");
    }
    dev.stop().await;
}
