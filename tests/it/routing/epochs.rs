//! After a fork of the log a replica that has not met the new epoch counts as having reached nothing,
//! and one of another log is not asked at all.

use fido::log::{ForkRequest, declare};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{Reader, caught_up, head, told};
use crate::app::TestApp;
use crate::ground::Ground;
use crate::until::until;

/// Makes the checkpoint of a replica say something else.
async fn alter(app: &TestApp, replica: usize, change: &str) {
    let url = &app.ground.addresses.replicas[replica].url;
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(&format!("update fido.checkpoint set {change}"))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_left_in_an_earlier_epoch_answers_nobody_who_asks_for_a_position() {
    let app = TestApp::start_on(Ground::with_replicas(2).await).await;
    let ada = app.register("ada").await;
    app.start_conversation(&ada).await;
    caught_up(&app, &["replica1", "replica2"]).await;
    app.stop_projecting("replica2").await;
    let insist = ForkRequest {
        reason: "for practice".to_owned(),
        beyond: None,
        force: true,
    };
    let ground = &app.ground;
    let forked = declare(&ground.events_owner_url, &ground.addresses, &insist).await;
    let forked = forked.unwrap();
    let asked: Vec<_> = forked.seen.iter().map(|seen| seen.by.as_str()).collect();
    assert_eq!(asked, ["log", "stream", "replica1", "replica2"]);
    until("writing goes on", async || {
        let request = app.http.post(app.url("/v1/conversations"));
        let copilot = json!({"copilot": "growth_engine"});
        let request = request.bearer_auth(&ada.token).json(&copilot);
        request.send().await.unwrap().status() == 201
    })
    .await;
    caught_up(&app, &["replica1"]).await;

    // Its position says more than its epoch is worth.
    alter(&app, 1, "position = 1000000").await;
    let mut reader = Reader::begin(&app.ground).await;
    let position = head(&app).await;
    for _ in 0..50 {
        let read = reader.replicas.read(Some(position)).await.unwrap();
        assert_eq!((read.replica(), read.epoch()), ("replica1", Some(2)));
        assert_eq!(reader.anybody().await.unwrap(), "replica1", "the present");
    }
    let status = told(&app.ground, &["status", "--json"]).await;
    assert_eq!(status["replicas"][0]["health"], "green", "{status}");
    assert_eq!(status["replicas"][1]["health"], "amber", "{status}");
    assert_eq!(status["replicas"][1]["epoch"], 1, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_of_another_log_is_not_asked() {
    let app = TestApp::start_on(Ground::with_replicas(2).await).await;
    let ada = app.register("ada").await;
    app.start_conversation(&ada).await;
    caught_up(&app, &["replica1", "replica2"]).await;
    app.stop_projecting("replica2").await;
    alter(&app, 1, "log_id = gen_random_uuid(), position = 1000000").await;
    let mut reader = Reader::begin(&app.ground).await;
    let epochs = app.ground.system().await.log().epochs().await.unwrap();
    reader.replicas.expect(epochs.current());
    for _ in 0..50 {
        assert_eq!(reader.anybody().await.unwrap(), "replica1");
    }
    let status = told(&app.ground, &["status", "--json"]).await;
    assert_eq!(status["replicas"][1]["health"], "red", "{status}");
    assert_eq!(status["replicas"][1]["reason"], "shows another log");
    assert!(status["diverged_at"].is_null(), "{status}");
}
