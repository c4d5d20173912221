//! Event streams at their edges: long ago, never happened, too much, and the end; and what the API
//! says when a part is missing.

use std::time::Duration;

use fido::config::Addresses;
use fido::roles::System;
use fido::stack::{NatsServer, Programs};
use fido_api::ApiConfig;
use fido_domain::{Actor, Metadata};
use fido_nats::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::{TestApp, TestUser};
use crate::ground::REPLICA;
use crate::sse::Sse;

/// Another process that serves the API: its hub has seen nothing of what happened before.
struct Late {
    base: String,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Late {
    async fn serve(app: &TestApp) -> Self {
        Self::serve_on(app, app.ground.system().await).await
    }

    async fn serve_on(app: &TestApp, system: System) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let vault = app.ground.vault().await;
        let register = Some(app.ground.register());
        let shutdown = CancellationToken::new();
        let config = ApiConfig::default();
        Self {
            base,
            serving: tokio::spawn(system.serve(
                listener,
                vault,
                register,
                config,
                shutdown.clone(),
            )),
            shutdown,
        }
    }

    async fn open(&self, app: &TestApp, user: &TestUser, query: &str) -> Sse {
        let url = format!("{}/v1/stream{query}", self.base);
        Sse::open(&app.http, url, &user.token, None).await
    }
}

/// Appends `count` events to a conversation of one event, in one command; answers with the head.
async fn happen(app: &TestApp, user: &TestUser, conversation: Uuid, count: usize) -> i64 {
    let pool = PgPool::connect(&app.ground.addresses.events_url)
        .await
        .unwrap();
    let id = fido_commands::ambient::new_id();
    let metadata = Metadata {
        actor: Actor::system("test"),
        subject: user.account_id,
        command_id: id,
        correlation_id: id,
        causation_id: None,
        request_id: None,
        address: None,
        user_agent: None,
        issued_at: fido_commands::ambient::now(),
        model: None,
        provider: None,
        prompt_hash: None,
    };
    let payload = json!({"reply_id": id, "attempt": 1}).to_string();
    let first: i64 = sqlx::query_scalar(
        "select first_position from append_events($1, 0, 0, 1, \
         array[$1], '{conversation}', array[$2], '{1}', array[$3], array[cardinality($4)]::bigint[], \
         array_fill(1, array[cardinality($4)]), array(select generate_series(1, cardinality($4))), \
         $4, $5, $6, $7, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    )
    .bind(id)
    .bind(conversation.to_string())
    .bind(user.account_id)
    .bind(vec!["reply_started"; count])
    .bind(vec!["1"; count])
    .bind(vec![payload; count])
    .bind(vec![serde_json::to_string(&metadata).unwrap(); count])
    .fetch_one(&pool)
    .await
    .unwrap();
    first - 1 + i64::try_from(count).unwrap()
}

/// Somebody with a conversation and this many more events, all of them on the replica.
async fn scene(count: usize) -> (TestApp, TestUser, i64) {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    let conversation = app.start_conversation(&ada).await;
    let head = happen(&app, &ada, conversation, count).await;
    let replicas = app.ground.system().await.replicas();
    while replicas.position().await.unwrap() < head {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (app, ada, head)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_has_not_seen_is_told_from_a_replica() {
    let (app, ada, head) = scene(1_200).await;
    let late = Late::serve(&app).await;
    let mut stream = late.open(&app, &ada, "?after=0").await;
    let hello = stream.next().await;
    assert_eq!((hello.name.as_str(), hello.id), ("hello", None));
    assert_eq!(hello.data["position"], head);
    app.start_conversation(&ada).await;
    for position in 1..=head + 1 {
        assert_eq!(stream.next().await.id, Some(position));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_too_far_behind_reads_afresh() {
    let (app, ada, head) = scene(10_000).await;
    let late = Late::serve(&app).await;
    let mut far = late.open(&app, &ada, "?after=0").await;
    assert_eq!(far.next().await.name, "hello");
    let reset = far.next().await;
    assert_eq!(reset.name, "reset");
    assert_eq!(
        reset.data,
        json!({"reason": "too_far_behind", "position": head})
    );
    // One event less is told one by one.
    let mut near = late
        .open(&app, &ada, &format!("?after={}", head - 10_000))
        .await;
    assert_eq!(near.next().await.name, "hello");
    assert_eq!(near.next().await.id, Some(head - 9_999));
    // Either way life goes on.
    app.start_conversation(&ada).await;
    assert_eq!(far.next().await.id, Some(head + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_seen_what_never_happened_reads_afresh() {
    let (app, ada, head) = scene(1).await;
    let url = app.url("/v1/stream?after=0");
    let mut stream = Sse::open(&app.http, url, &ada.token, Some(1_000_000)).await;
    assert_eq!(stream.next().await.name, "hello");
    let reset = stream.next().await;
    assert_eq!(reset.name, "reset");
    assert_eq!(reset.data["reason"], "ahead");
    app.start_conversation(&ada).await;
    let position = reset.data["position"].as_i64().unwrap();
    assert!(position <= head);
    assert_eq!(stream.next().await.id, Some(position + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_streams_say_goodbye_and_serving_ends() {
    let (app, ada, _) = scene(1).await;
    let late = Late::serve(&app).await;
    let mut stream = late.open(&app, &ada, "").await;
    assert_eq!(stream.next().await.name, "hello");
    late.shutdown.cancel();
    let goodbye = stream.next().await;
    assert_eq!(goodbye.name, "goodbye");
    assert_eq!(goodbye.data["reason"], "shutdown");
    assert!(stream.read().await.is_none());
    let ended = tokio::time::timeout(Duration::from_secs(5), late.serving);
    ended.await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_replica_shows_yet_is_worth_asking_for_again() {
    let (app, ada, head) = scene(1).await;
    let request = app.http.get(app.url("/v1/me")).bearer_auth(&ada.token);
    let asked = request.header("Fido-Min-Position", head + 1_000);
    let response = asked.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/replica-behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_gone_is_named() {
    let app = TestApp::start().await;
    let mut nats = NatsServer::temporary(&Programs::of_this_machine())
        .await
        .unwrap();
    let addresses = Addresses {
        nats_url: nats.url(),
        nats_seeds: Some(nats.seeds_dir()),
        ..app.ground.addresses.clone()
    };
    let system = System::connect(&addresses, Role::Api).await.unwrap();
    let late = Late::serve_on(&app, system).await;
    let ask = async |path| {
        let response = app.http.get(format!("{}{path}", late.base)).send().await;
        let response = response.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    assert_eq!(ask("/readyz").await.0, StatusCode::OK);
    nats.kill().await.unwrap();
    let parts = json!({"event_store": "ok", "replica": "ok", "nats": "unreachable"});
    let (status, not_ready) = ask("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(not_ready["status"], "not_ready");
    assert_eq!(not_ready["parts"], parts);
    assert_eq!(not_ready["replicas"][0]["name"], REPLICA);
    assert_eq!(not_ready["replicas"][0]["status"], "ok");
    assert_eq!(ask("/healthz").await.0, StatusCode::OK);
}
