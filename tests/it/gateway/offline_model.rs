//! The offline model as a provider: what the gateway gets from it, and its protocol as any other
//! client sees it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fido::model::{self, OfflineModel, Options};
use fido_copilot::copilots::system_prompt;
use fido_copilot::gateway::{FinishReason, Gateway};
use fido_domain::conversation::Copilot;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{LONG, ask, config, prompt};

const MESSAGE: &str = "I want to open a crêperie called \"Ô Bretagne\" in São Paulo. 🥞";

const UNLIMITED: Options = Options {
    first_token_ms: 0,
    tokens_per_second: 0,
};

struct Running {
    base_url: String,
    shutdown: CancellationToken,
    served: tokio::task::JoinHandle<()>,
    _stop: DropGuard,
}

async fn start(options: Options) -> Running {
    let shutdown = CancellationToken::new();
    let (address, serve) = OfflineModel::bind(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        options,
        shutdown.clone(),
    )
    .await
    .unwrap();
    Running {
        base_url: format!("http://{address}/v1"),
        served: tokio::spawn(serve),
        _stop: shutdown.clone().drop_guard(),
        shutdown,
    }
}

#[tokio::test]
async fn a_founder_without_a_key_reads_about_their_business() {
    let model = start(UNLIMITED).await;
    for copilot in Copilot::ALL {
        let outcome = ask(
            config(&model.base_url),
            prompt(system_prompt(copilot), MESSAGE),
        )
        .await;
        let text = outcome.text();
        assert!(text.starts_with("Offline model: "), "{text}");
        assert!(
            text.contains("Ô Bretagne") && text.contains("São Paulo"),
            "{text}"
        );

        let pieces = outcome.pieces.len();
        let finished = outcome.end.unwrap();
        assert_eq!(finished.reason, FinishReason::Stop);
        assert_eq!(finished.model, model::NAME);
        assert!(!finished.usage_estimated);
        assert_eq!(finished.usage.output_tokens as usize, pieces);
        assert!(finished.usage.input_tokens > 500, "the instructions count");
    }
}

#[tokio::test]
async fn a_limit_of_tokens_ends_the_text_early() {
    let model = start(UNLIMITED).await;
    let mut prompt = prompt("Be brief.", MESSAGE);
    prompt.max_tokens = 12;
    let outcome = ask(config(&model.base_url), prompt).await;
    assert_eq!(outcome.pieces.len(), 12);
    assert_eq!(outcome.end.unwrap().reason, FinishReason::Length);
}

#[tokio::test]
async fn the_text_arrives_over_time() {
    let model = start(Options {
        first_token_ms: 100,
        tokens_per_second: 100,
    })
    .await;
    let begun = Instant::now();
    let mut prompt = prompt("Be brief.", MESSAGE);
    prompt.max_tokens = 20;
    let outcome = ask(config(&model.base_url), prompt).await;
    assert_eq!(outcome.pieces.len(), 20);
    assert!(
        begun.elapsed() >= Duration::from_millis(290),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_shutdown_hurries_an_answer_instead_of_cutting_it_off() {
    let model = start(Options {
        first_token_ms: 0,
        tokens_per_second: 1,
    })
    .await;
    let gateway = Gateway::new(config(&model.base_url)).unwrap();
    let mut reply = gateway.reply(prompt("Be brief.", MESSAGE)).await.unwrap();
    let hurried = async {
        reply.next().await.unwrap();
        model.shutdown.cancel();
        while reply.next().await.unwrap().is_some() {}
    };
    tokio::time::timeout(LONG, hurried).await.unwrap();
    tokio::time::timeout(LONG, model.served)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_unknown_model_is_refused_by_name() {
    let model = start(UNLIMITED).await;
    let mut config = config(&model.base_url);
    config.model = "gpt-something".to_owned();
    let error = ask(config, prompt("Be brief.", MESSAGE)).await.error();
    assert_eq!((error.code(), error.is_retryable()), ("bad_request", false));
    assert!(
        error.to_string().contains("model_not_found (HTTP 404)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_request_without_stream_gets_one_object() {
    let model = start(UNLIMITED).await;
    let (status, answer) = post(
        &model,
        json!({"model": model::NAME, "messages": [message()]}),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("São Paulo"), "{text}");
    let usage = &answer["usage"];
    let tokens = |name: &str| usage[name].as_u64().unwrap();
    assert_eq!(
        tokens("total_tokens"),
        tokens("prompt_tokens") + tokens("completion_tokens")
    );
}

#[tokio::test]
async fn usage_is_streamed_only_on_request_and_done_comes_last() {
    let model = start(UNLIMITED).await;
    for include_usage in [true, false] {
        let response = request(&model, "/chat/completions", "Bearer any")
            .json(&json!({
                "model": model::NAME,
                "messages": [message()],
                "stream": true,
                "stream_options": {"include_usage": include_usage},
                "max_tokens": 3,
            }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.text().await.unwrap();
        let events: Vec<&str> = body
            .split_terminator("\n\n")
            .map(|event| event.strip_prefix("data: ").unwrap())
            .collect();
        // The role, three pieces, the reason, perhaps the usage, and the end.
        assert_eq!(events.len(), if include_usage { 7 } else { 6 }, "{body}");
        assert_eq!(events.last(), Some(&"[DONE]"));
        let first: Value = serde_json::from_str(events[0]).unwrap();
        assert_eq!(first["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(body.contains("completion_tokens"), include_usage);
    }
}

#[tokio::test]
async fn refusals_have_the_shape_that_clients_expect() {
    let model = start(UNLIMITED).await;
    let (status, error) = post(&model, json!({"model": model::NAME, "messages": []})).await;
    assert_eq!(
        (status, &error["error"]["param"]),
        (400, &json!("messages"))
    );

    let (status, error) = post(&model, json!({"messages": "none"})).await;
    assert_eq!(
        (status, &error["error"]["type"]),
        (400, &json!("invalid_request_error"))
    );

    for authorization in ["", "Bearer ", "Basic abc"] {
        let refused = request(&model, "/chat/completions", authorization)
            .send()
            .await
            .unwrap();
        assert_eq!(refused.status(), 401);
        let error: Value = refused.json().await.unwrap();
        assert_eq!(error["error"]["code"], "invalid_api_key");
    }

    let lost = request(&model, "/embeddings", "Bearer any")
        .send()
        .await
        .unwrap();
    assert_eq!(lost.status(), 404);
    assert!(lost.json::<Value>().await.unwrap()["error"]["message"].is_string());
}

#[tokio::test]
async fn the_models_are_listed() {
    let model = start(UNLIMITED).await;
    let listed: Value = client()
        .get(format!("{}/models", model.base_url))
        .bearer_auth("any")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(listed["data"][0]["id"], model::NAME);
}

fn message() -> Value {
    json!({"role": "user", "content": [{"type": "text", "text": MESSAGE}]})
}

fn client() -> reqwest::Client {
    // Only an error when another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn request(model: &Running, path: &str, authorization: &str) -> reqwest::RequestBuilder {
    client()
        .post(format!("{}{path}", model.base_url))
        .header("authorization", authorization)
}

async fn post(model: &Running, body: Value) -> (u16, Value) {
    let response = request(model, "/chat/completions", "Bearer any")
        .json(&body)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}
