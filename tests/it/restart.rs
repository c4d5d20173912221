//! `fido dev` is killed in the middle of a reply and started again on the same folder.

use serde_json::{Value, json};

use crate::app::http_client;
use crate::dev::Dev;
use crate::sse::Sse;

async fn post(http: &reqwest::Client, url: String, token: &str, body: Value) -> Value {
    let response = http
        .post(url)
        .bearer_auth(token)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_survives_kill_9_of_everything_and_is_completed_once() {
    let folder = tempfile::tempdir().unwrap();
    // Slow enough that the reply is certainly not whole when the first tokens are seen.
    let first = Dev::start_paced(folder.path(), 5).await;
    let base = first.base.clone();
    let http = http_client();
    let account = post(
        &http,
        format!("{base}/v1/accounts"),
        "",
        json!({"email": "ada@example.com", "password": "correct horse", "display_name": "Ada"}),
    )
    .await;
    let token = account["token"].as_str().unwrap().to_owned();
    let conversation = post(
        &http,
        format!("{base}/v1/conversations"),
        &token,
        json!({"copilot": "growth_engine"}),
    )
    .await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut stream = Sse::open(&http, format!("{base}/v1/stream"), &token, None).await;
    stream.next_named("hello").await;
    let posted = post(
        &http,
        format!("{base}/v1/conversations/{conversation}/messages"),
        &token,
        json!({"text": "How do I find customers for my bakery?"}),
    )
    .await;
    let started = stream.next_named("conversation.reply_started").await;
    stream.next_named("reply.delta").await;
    stream.next_named("reply.delta").await;
    first.kill().await;

    let second = Dev::start(folder.path()).await;
    let base = second.base.clone();
    let after = started.id.unwrap();
    let url = format!("{base}/v1/stream?after={after}");
    let mut stream = Sse::open(&http, url, &token, None).await;
    let completed = stream.next_named("conversation.reply_completed").await;
    assert_eq!(completed.data["payload"]["reply_id"], posted["reply"]["id"]);
    assert_eq!(completed.data["payload"]["attempt"], 2);

    let transcript: Value = http
        .get(format!("{base}/v1/conversations/{conversation}/messages"))
        .bearer_auth(&token)
        .header("Fido-Min-Position", completed.id.unwrap())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let items = transcript["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "the message and one reply: {transcript}");
    assert_eq!(items[0]["id"], posted["message"]["id"]);
    assert_eq!(items[1]["id"], posted["reply"]["id"]);
    assert_eq!(items[1]["status"], "complete");

    let timeline = second
        .run(&["audit", "show", "conversation", &conversation])
        .await;
    assert_eq!(timeline.matches("reply_completed").count(), 1, "{timeline}");
    assert_eq!(timeline.matches("reply_started").count(), 2, "{timeline}");
    let status: Value = serde_json::from_str(&second.run(&["status", "--json"]).await).unwrap();
    assert_eq!(status["head"], status["stream"]["last"], "{status}");

    // Told to stop, it stops everything.
    second.stop().await;
    assert!(!folder.path().join("addresses.json").exists());
}
