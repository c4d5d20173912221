//! Several processes of the real binary on one log: nothing twice, nothing lost, no false conflict.

use std::collections::{HashMap, HashSet};
use std::process::Stdio;

use fido_commands::log::Log;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::app::{TestApp, http_client};
use crate::ground::Ground;

/// A `fido serve` of its own process.
pub(crate) struct Served {
    pub(crate) base: String,
    _process: Child,
}

impl Served {
    pub(crate) async fn start(ground: &Ground) -> Self {
        let mut process = ground
            .command(&["serve", "--listen", "127.0.0.1:0", "--plain-http"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the address");
        let (_, base) = line.split_once("at ").unwrap();
        Self {
            base: base.to_owned(),
            _process: process,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_registrations_of_one_address_one_gets_the_account() {
    let ground = Ground::prepare().await;
    let (one, two) = tokio::join!(Served::start(&ground), Served::start(&ground));
    let http = http_client();
    let mut crowd = tokio::task::JoinSet::new();
    for n in 0..50 {
        let base = if n % 2 == 0 { &one.base } else { &two.base };
        let request = http.post(format!("{base}/v1/accounts")).json(&json!({
            // The same address to the person who owns it, whatever the case.
            "email": if n % 3 == 0 { "Ada@Example.com" } else { "ada@example.com" },
            "password": "correct horse",
            "display_name": format!("Ada {n}"),
        }));
        crowd.spawn(async move {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.json::<Value>().await.unwrap())
        });
    }
    let mut statuses: HashMap<u16, u32> = HashMap::new();
    while let Some(answer) = crowd.join_next().await {
        let (status, body) = answer.unwrap();
        *statuses.entry(status).or_default() += 1;
        if status == 409 {
            assert_eq!(body["type"], "/problems/email-taken");
        }
    }
    assert_eq!(statuses, HashMap::from([(201, 1), (409, 49)]));

    let pool = PgPool::connect(&ground.addresses.events_url).await.unwrap();
    let events = Log::new(pool.clone()).after(0, 100).await.unwrap();
    assert_eq!(events.len(), 1, "one account, one event");
    let credentials: i64 = sqlx::query_scalar("select count(*) from auth.credentials")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(credentials, 1, "no credential is left without an account");
}

/// Two processes post into one conversation as fast as they can. The co-pilot settles each reply, so
/// a post is refused only while a reply really is open; every post that was accepted must be in the
/// log once, and no answer may be a conflict that the person did not cause.
#[tokio::test(flavor = "multi_thread")]
async fn writers_in_two_processes_race_on_one_stream() {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    let conversation = app.start_conversation(&ada).await;
    let (one, two) = tokio::join!(Served::start(&app.ground), Served::start(&app.ground));

    let mut writers = tokio::task::JoinSet::new();
    for base in [one.base.clone(), two.base.clone()]
        .into_iter()
        .cycle()
        .take(8)
    {
        let (http, token) = (app.http.clone(), ada.token.clone());
        writers.spawn(async move {
            let mut accepted = Vec::new();
            for n in 0..40 {
                let response = http
                    .post(format!("{base}/v1/conversations/{conversation}/messages"))
                    .bearer_auth(&token)
                    .json(&json!({"text": format!("Message {n}")}))
                    .send()
                    .await
                    .unwrap();
                let status = response.status().as_u16();
                let body: Value = response.json().await.unwrap();
                match status {
                    202 => accepted.push(body["message"]["id"].as_str().unwrap().to_owned()),
                    409 => assert_eq!(body["type"], "/problems/reply-in-progress", "{body}"),
                    _ => panic!("{status}: {body}"),
                }
            }
            accepted
        });
    }
    let mut accepted = Vec::new();
    while let Some(writer) = writers.join_next().await {
        accepted.extend(writer.unwrap());
    }
    assert!(accepted.len() >= 2, "{} accepted", accepted.len());

    let pool = PgPool::connect(&app.ground.addresses.events_url)
        .await
        .unwrap();
    let stream = Log::new(pool)
        .stream("conversation", conversation)
        .await
        .unwrap();
    let sequences: Vec<i64> = stream.iter().map(|event| event.sequence).collect();
    assert_eq!(
        sequences,
        (1..=i64::try_from(stream.len()).unwrap()).collect::<Vec<_>>(),
        "the stream is dense and in order"
    );
    let posted: Vec<String> = stream
        .iter()
        .filter(|event| event.event_type == "message_posted")
        .map(|event| {
            let payload: Value = serde_json::from_str(event.payload.get()).unwrap();
            payload["message_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let (posted_set, accepted_set): (HashSet<_>, HashSet<_>) =
        (posted.iter().collect(), accepted.iter().collect());
    assert_eq!(posted.len(), posted_set.len(), "nothing twice");
    assert_eq!(
        posted_set, accepted_set,
        "what was accepted is what is there"
    );
}
