//! A chat, all the way round: request, events, stream, replica, co-pilot, reply, transcript.

use serde_json::json;

use crate::app::{TestApp, UNPACED};
use crate::sse::Sse;

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_arrives_token_by_token_and_stands_in_the_transcript() {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    let copilot = json!({"copilot": "business_plan_architect"});
    let (started, position) = app.post(&ada, "/v1/conversations", copilot, 201).await;
    let conversation = started["id"].as_str().unwrap();
    // From a position on: the live end may still be before what has just been answered.
    let url = app.url("/v1/stream");
    let mut stream = Sse::open(&app.http, url, &ada.token, Some(position)).await;
    assert_eq!(stream.next().await.name, "hello");

    let messages = format!("/v1/conversations/{conversation}/messages");
    let (posted, _) = app
        .post(
            &ada,
            &messages,
            json!({"text": "I want to open a bakery in Graz. What do I need first?"}),
            202,
        )
        .await;
    let reply_id = posted["reply"]["id"].clone();
    assert_eq!(posted["reply"]["status"], "requested");

    let (mut text, mut n, mut names) = (String::new(), 0, Vec::new());
    let completed = loop {
        let event = stream.next().await;
        if event.name == "reply.delta" {
            assert_eq!(event.id, None, "tokens have no place in the log");
            assert_eq!(event.data["reply_id"], reply_id);
            assert_eq!(event.data["n"], n + 1, "no token is lost or repeated");
            n += 1;
            text.push_str(event.data["text"].as_str().unwrap());
            continue;
        }
        names.push(event.name.clone());
        if event.name == "conversation.reply_completed" {
            break event;
        }
    };
    assert_eq!(
        names,
        [
            "conversation.message_posted",
            "conversation.reply_requested",
            "conversation.reply_started",
            "conversation.reply_completed"
        ]
    );
    let whole = completed.data["payload"]["text"].as_str().unwrap();
    // Tokens travel beside the log, so the last of them may come behind the completed reply.
    while text.len() < whole.len() {
        let delta = stream.next_named("reply.delta").await;
        text.push_str(delta.data["text"].as_str().unwrap());
    }
    assert_eq!(text, whole);
    assert!(whole.contains("bakery"), "{whole}");

    let transcript = app.get(&ada, &messages, completed.id.unwrap()).await;
    let items = transcript["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["role"], "user");
    assert_eq!(items[1]["id"], reply_id);
    assert_eq!(items[1]["status"], "complete");
    assert_eq!(items[1]["text"], whole);
    assert_eq!(items[1]["model"], "fido-offline");
    assert!(items[1]["usage"]["output_tokens"].as_i64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_message_waits_for_the_reply_to_the_first() {
    // A model that does not get anywhere while the test looks.
    let app = TestApp::start_with(fido::model::Options {
        first_token_ms: 600_000,
        ..UNPACED
    })
    .await;
    let ada = app.register("ada").await;
    let conversation = app.start_conversation(&ada).await;
    let messages = format!("/v1/conversations/{conversation}/messages");
    app.post(&ada, &messages, json!({"text": "First"}), 202)
        .await;
    let (problem, _) = app
        .post(&ada, &messages, json!({"text": "Second"}), 409)
        .await;
    assert_eq!(problem["type"], "/problems/reply-in-progress");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumes_without_a_gap_or_a_repeat() {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    let mut seen = Vec::new();
    let first = app.start_conversation(&ada).await;
    for _ in 0..5 {
        app.start_conversation(&ada).await;
    }
    // From the beginning, then from the middle: the same events, whole.
    let mut stream = Sse::open(&app.http, app.url("/v1/stream?after=0"), &ada.token, None).await;
    stream.next_named("hello").await;
    for _ in 0..7 {
        seen.push(stream.next().await.id.unwrap());
    }
    let mut resumed = Sse::open(
        &app.http,
        app.url("/v1/stream?after=0"),
        &ada.token,
        Some(seen[3]),
    )
    .await;
    resumed.next_named("hello").await;
    for expected in &seen[4..] {
        assert_eq!(resumed.next().await.id, Some(*expected));
    }
    // Filtered to one conversation.
    let url = app.url(&format!("/v1/stream?conversation={first}&after=0"));
    let mut filtered = Sse::open(&app.http, url, &ada.token, None).await;
    filtered.next_named("hello").await;
    assert_eq!(filtered.next().await.id, Some(seen[1]));
    let messages = format!("/v1/conversations/{first}/messages");
    app.post(&ada, &messages, json!({"text": "Hello"}), 202)
        .await;
    assert_eq!(filtered.next().await.name, "conversation.message_posted");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_somebody_elses_events() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.register("ada").await, app.register("bob").await);
    let mut stream = Sse::open(&app.http, app.url("/v1/stream?after=0"), &bob.token, None).await;
    stream.next_named("hello").await;
    app.start_conversation(&ada).await;
    let of_bob = app.start_conversation(&bob).await;
    let registered = stream.next().await;
    assert_eq!(registered.data["aggregate_id"], bob.account_id.to_string());
    let started = stream.next().await;
    assert_eq!(started.data["aggregate_id"], of_bob.to_string());
}
