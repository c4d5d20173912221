//! A replica's PostgreSQL dies under queries: nobody notices while another one is there, and when none
//! is, everybody is told so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::StatusCode;
use serde_json::Value;

use super::{Reader, caught_up, head};
use crate::app::{TestApp, TestUser};
use crate::ground::{Ground, new_cluster};
use crate::until::until;

const READERS: usize = 12;

/// Readers over HTTP that go on until they are told to stop.
pub(super) struct Crowd {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    readers: tokio::task::JoinSet<()>,
}

impl Crowd {
    /// Half of them ask for the present head of the log, half for nothing; each must be answered.
    pub(super) async fn gather(app: &TestApp, user: &TestUser) -> Self {
        let (stop, answered) = (Arc::default(), Arc::default());
        let mut readers = tokio::task::JoinSet::new();
        let head = head(app).await;
        for n in 0..READERS {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            let mut request = app.http.get(app.url("/v1/conversations"));
            request = request.bearer_auth(&user.token);
            if n % 2 == 0 {
                request = request.header("Fido-Min-Position", head);
            }
            readers.spawn(async move {
                while !AtomicBool::load(&stop, Ordering::Relaxed) {
                    let response = request.try_clone().unwrap().send().await.unwrap();
                    let status = response.status();
                    let body: Value = response.json().await.unwrap();
                    assert_eq!(status, StatusCode::OK, "{body}");
                    assert_eq!(body["items"].as_array().unwrap().len(), 1, "{body}");
                    AtomicUsize::fetch_add(&answered, 1, Ordering::Relaxed);
                }
            });
        }
        Self {
            stop,
            answered,
            readers,
        }
    }

    /// Waits until so many more have been answered.
    pub(super) async fn answers(&self, more: usize) {
        let so_far = self.answered.load(Ordering::Relaxed);
        until("queries are answered", async || {
            self.answered.load(Ordering::Relaxed) >= so_far + more
        })
        .await;
    }

    pub(super) async fn go_home(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(reader) = self.readers.join_next().await {
            reader.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_takes_no_query_with_it_and_is_used_again_afterwards() {
    let (mut one, mut two) = (new_cluster().await, new_cluster().await);
    let app = TestApp::start_on(Ground::with_replicas_in(&[&one, &two]).await).await;
    let ada = app.register("ada").await;
    let id = app.start_conversation(&ada).await;
    caught_up(&app, &["replica1", "replica2"]).await;
    let mut reader = Reader::begin(&app.ground).await;
    until("both answer", async || {
        reader.anybody().await.unwrap();
        reader.answers.len() == 2
    })
    .await;

    let crowd = Crowd::gather(&app, &ada).await;
    crowd.answers(200).await;
    one.kill().await.unwrap();
    crowd.answers(500).await;
    // With nobody to announce it, the other one has all of the log.
    let position = head(&app).await;
    for _ in 0..20 {
        let (_, is_there) = reader
            .has(ada.account_id, id, Some(position))
            .await
            .unwrap();
        assert!(is_there);
        assert_eq!(reader.anybody().await.unwrap(), "replica2");
    }
    // What is written meanwhile is seen at once.
    let another = app.start_conversation(&ada).await;
    let position = head(&app).await;
    let seen = reader.has(ada.account_id, another, Some(position)).await;
    assert!(seen.unwrap().1);
    crowd.stop.store(true, Ordering::Relaxed);

    one.restart().await.unwrap();
    until("the first one answers again", async || {
        reader.anybody().await.unwrap() == "replica1"
    })
    .await;
    caught_up(&app, &["replica1"]).await;
    two.kill().await.unwrap();
    for _ in 0..20 {
        let seen = reader.has(ada.account_id, another, Some(position)).await;
        assert!(seen.unwrap().1);
        assert_eq!(reader.anybody().await.unwrap(), "replica1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_replica_everybody_is_told_to_come_back() {
    let mut both = new_cluster().await;
    let app = TestApp::start_on(Ground::with_replicas_in(&[&both, &both]).await).await;
    let ada = app.register("ada").await;
    app.start_conversation(&ada).await;
    caught_up(&app, &["replica1", "replica2"]).await;
    let crowd = Crowd::gather(&app, &ada).await;
    crowd.answers(50).await;
    crowd.go_home().await;

    both.kill().await.unwrap();
    for at_least in [None, Some(1)] {
        let mut request = app.http.get(app.url("/v1/conversations"));
        request = request.bearer_auth(&ada.token);
        if let Some(position) = at_least {
            request = request.header("Fido-Min-Position", position);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "1");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/unavailable", "{problem}");
    }
    let ready = async || {
        let response = app.http.get(app.url("/readyz")).send().await.unwrap();
        let status = response.status();
        (status, response.json::<Value>().await.unwrap())
    };
    let (status, health) = ready().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{health}");
    assert_eq!(health["parts"]["replica"], "unreachable", "{health}");
    assert_eq!(health["replicas"][1]["status"], "unreachable", "{health}");
    // Writing goes on.
    app.start_conversation(&ada).await;

    both.restart().await.unwrap();
    let position = head(&app).await;
    until("replicas are used again", async || {
        let request = app.http.get(app.url("/v1/conversations"));
        let request = request.header("Fido-Min-Position", position);
        let response = request.bearer_auth(&ada.token).send().await.unwrap();
        response.status() == StatusCode::OK
    })
    .await;
    let (status, health) = ready().await;
    assert_eq!(status, StatusCode::OK, "{health}");
}
