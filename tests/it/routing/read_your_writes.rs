//! Whoever writes and then reads with the position of the write sees it, on whichever replica answers,
//! while one of them stands still.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Reader, caught_up, head};
use crate::app::{TestApp, TestUser};
use crate::ground::Ground;

const WRITERS: usize = 8;
const REPLICAS: [&str; 3] = ["replica1", "replica2", "replica3"];

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_sees_it_while_a_replica_stands_still() {
    pairs(720).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; cargo test --release --test it routing::read_your_writes -- --ignored"]
async fn ten_thousand_times_whoever_writes_sees_it() {
    pairs(10_000).await;
}

/// So many writes, each read back over HTTP and by another process's reader. One replica after the
/// other stands still for a third of them.
async fn pairs(count: usize) {
    let app = Arc::new(TestApp::start_on(Ground::with_replicas(3).await).await);
    let mut users = Vec::new();
    for n in 0..WRITERS {
        users.push(Arc::new(app.register(&format!("writer{n}")).await));
    }
    let each = count.div_ceil(WRITERS * REPLICAS.len());
    let mut done = 0;
    for still in REPLICAS {
        app.stop_projecting(still).await;
        let before = head(&app).await;
        let mut writers = tokio::task::JoinSet::new();
        for user in &users {
            writers.spawn(write_and_read(Arc::clone(&app), Arc::clone(user), each));
        }
        let mut answers = BTreeMap::new();
        while let Some(answered) = writers.join_next().await {
            for (replica, count) in answered.unwrap() {
                *answers.entry(replica).or_default() += count;
            }
            done += each;
        }
        // It really stood still, and the others shared the work.
        let reader = Reader::begin(&app.ground).await;
        let surveyed = reader.replicas.survey().await;
        let stood = surveyed.iter().find(|replica| replica.name == still);
        let stood = stood.unwrap().found.as_ref().unwrap().position;
        assert!(stood <= before, "{still} went on to {stood}");
        assert_eq!(answers.get(still), None, "{answers:?}");
        let all: usize = answers.values().sum();
        assert_eq!(all, each * WRITERS);
        for (replica, count) in &answers {
            assert!(count * 10 > all, "{replica} was left idle: {answers:?}");
        }
        app.project(still).await;
        caught_up(&app, &REPLICAS).await;
    }
    assert!(done >= count, "{done} pairs");
}

/// Answers with who has answered how often.
async fn write_and_read(
    app: Arc<TestApp>,
    user: Arc<TestUser>,
    count: usize,
) -> BTreeMap<String, usize> {
    let mut reader = Reader::begin(&app.ground).await;
    for _ in 0..count {
        let copilot = json!({"copilot": "growth_engine"});
        let (written, position) = app.post(&user, "/v1/conversations", copilot, 201).await;
        let id: Uuid = written["id"].as_str().unwrap().parse().unwrap();

        let latest = app
            .http
            .get(app.url("/v1/conversations?limit=1"))
            .bearer_auth(&user.token)
            .header("Fido-Min-Position", position)
            .send()
            .await
            .unwrap();
        assert_eq!(latest.status(), 200);
        let shown = latest.headers()["fido-position"].to_str().unwrap();
        assert!(shown.parse::<i64>().unwrap() >= position);
        let latest: Value = latest.json().await.unwrap();
        assert_eq!(latest["items"][0]["id"], written["id"], "stale");

        let seen = reader.has(user.account_id, id, Some(position)).await;
        let (shown, is_there) = seen.unwrap();
        assert!(shown >= position && is_there, "stale at {shown}");
    }
    reader.answers
}
