//! The real gateway over real HTTP: against the offline model, and against providers that
//! misbehave in every way we know.

mod offline_model;
mod provider;

use std::time::Duration;

use fido_copilot::gateway::{
    ApiKey, FinishReason, Gateway, GatewayConfig, GatewayError, Piece, Prompt, Timeouts, Turn,
};
use provider::{Provider, Script, chunk, finish};

/// Long enough for a busy machine, short enough for a test.
const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(20);

fn config(base_url: &str) -> GatewayConfig {
    // Only an error when another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = ApiKey::parse("test-key").unwrap();
    GatewayConfig {
        timeouts: Timeouts {
            connect: LONG,
            first_token: LONG,
            between_tokens: LONG,
            total: LONG,
        },
        ..GatewayConfig::new(base_url, key, fido::model::NAME)
    }
}

fn prompt(system: &str, message: &str) -> Prompt {
    Prompt {
        system: system.to_owned().into(),
        turns: vec![Turn::user(message)],
        max_tokens: 2_000,
    }
}

/// Everything that comes of a reply: the text so far, and how it ended.
struct Outcome {
    pieces: Vec<String>,
    end: Result<fido_copilot::gateway::Finished, GatewayError>,
}

impl Outcome {
    fn text(&self) -> String {
        self.pieces.concat()
    }

    fn error(self) -> GatewayError {
        self.end.expect_err("the reply should have failed")
    }
}

async fn ask(config: GatewayConfig, prompt: Prompt) -> Outcome {
    let mut pieces = Vec::new();
    let failed = |pieces, error| Outcome {
        pieces,
        end: Err(error),
    };
    let mut reply = match Gateway::new(config).unwrap().reply(prompt).await {
        Ok(reply) => reply,
        Err(error) => return failed(pieces, error),
    };
    loop {
        match reply.next().await {
            Ok(Some(Piece::Text(text))) => pieces.push(text.shown().to_owned()),
            Ok(Some(Piece::Finished(finished))) => {
                assert!(
                    reply.next().await.unwrap().is_none(),
                    "something follows the end"
                );
                return Outcome {
                    pieces,
                    end: Ok(finished),
                };
            }
            Ok(None) => panic!("the reply ended without saying how"),
            Err(error) => {
                assert!(
                    reply.next().await.unwrap().is_none(),
                    "something follows a failure"
                );
                return failed(pieces, error);
            }
        }
    }
}

/// What a provider with this script makes of a call, which it must see exactly once.
async fn ask_once(script: Script, timeouts: impl FnOnce(&mut Timeouts)) -> Outcome {
    let provider = Provider::start(script).await;
    let mut config = config(&provider.base_url);
    timeouts(&mut config.timeouts);
    let outcome = ask(config, prompt("Be brief.", "Hello")).await;
    assert_eq!(
        provider.requests(),
        1,
        "a call is made once and never repeated"
    );
    outcome
}

#[tokio::test]
async fn a_text_that_ends_without_a_reason_is_truncated() {
    let outcome = ask_once(Script::stream([chunk("Half an ans")]), |_| {}).await;
    assert_eq!(outcome.text(), "Half an ans");
    let error = outcome.error();
    assert_eq!((error.code(), error.is_retryable()), ("truncated", true));
}

#[tokio::test]
async fn done_does_not_replace_a_reason() {
    let script = Script::stream([chunk("Half an ans"), "data: [DONE]\n\n".to_owned()]);
    assert_eq!(ask_once(script, |_| {}).await.error().code(), "truncated");
}

#[tokio::test]
async fn a_connection_that_breaks_truncates() {
    let script = Script::stream([chunk("Half an ans")]).then_break();
    let outcome = ask_once(script, |_| {}).await;
    assert_eq!(outcome.text(), "Half an ans");
    assert_eq!(outcome.error().code(), "truncated");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_reason_costs_only_the_usage() {
    let script = Script::stream([chunk("All of it"), finish("stop")]).then_break();
    let outcome = ask_once(script, |_| {}).await;
    assert_eq!(outcome.text(), "All of it");
    let finished = outcome.end.unwrap();
    assert!(finished.usage_estimated && finished.usage.output_tokens > 0);
}

#[tokio::test]
async fn an_error_inside_a_stream_is_the_providers_failure() {
    let error = r#"{"error":{"message":"overloaded","type":"server_error","code":null}}"#;
    let script = Script::stream([chunk("Half an ans"), format!("data: {error}\n\n")]);
    let outcome = ask_once(script, |_| {}).await;
    assert_eq!(outcome.text(), "Half an ans");
    let error = outcome.error();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("provider_error", true)
    );
    assert_eq!(error.to_string(), "the model provider failed: server_error");
}

#[tokio::test]
async fn an_answer_without_text_is_a_failure() {
    let script = Script::stream([chunk(""), finish("stop"), "data: [DONE]\n\n".to_owned()]);
    assert_eq!(ask_once(script, |_| {}).await.error().code(), "empty");
}

#[tokio::test]
async fn a_refused_key_is_unauthorized() {
    let body =
        r#"{"error":{"message":"no","type":"invalid_request_error","code":"invalid_api_key"}}"#;
    let error = ask_once(Script::refuse(401, body), |_| {}).await.error();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("unauthorized", false)
    );
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait_even_when_it_is_not_json() {
    let script = Script::refuse(429, "slow down").with_header("Retry-After: 7");
    let error = ask_once(script, |_| {}).await.error();
    assert!(error.is_retryable());
    let GatewayError::RateLimited { retry_after } = error else {
        panic!("{error:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_used_up_quota_is_told_apart_from_a_rate_limit() {
    let body =
        r#"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let error = ask_once(Script::refuse(429, body), |_| {}).await.error();
    assert_eq!((error.code(), error.is_retryable()), ("quota", false));
}

#[tokio::test]
async fn a_server_error_is_not_retried_by_the_client() {
    let error = ask_once(Script::refuse(500, "oops"), |_| {}).await.error();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("provider_error", true)
    );
}

#[tokio::test]
async fn a_provider_that_does_not_begin_times_out() {
    for script in [Script::silent(), Script::stream([chunk("")]).then_hang()] {
        let error = ask_once(script, |timeouts| timeouts.first_token = SHORT)
            .await
            .error();
        assert_eq!(
            (error.code(), error.is_retryable()),
            ("timeout_first_token", true)
        );
    }
}

#[tokio::test]
async fn a_provider_that_stalls_times_out() {
    let script = Script::stream([chunk("Half an ans")]).then_hang();
    let outcome = ask_once(script, |timeouts| timeouts.between_tokens = SHORT).await;
    assert_eq!(outcome.text(), "Half an ans");
    assert_eq!(outcome.error().code(), "timeout_idle");
}

#[tokio::test]
async fn a_provider_that_never_ends_times_out() {
    let script = Script::stream(vec![chunk("blah "); 200]).every(Duration::from_millis(20));
    let outcome = ask_once(script, |timeouts| timeouts.total = 2 * SHORT).await;
    assert!(outcome.text().starts_with("blah blah"));
    let error = outcome.error();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("timeout_total", false)
    );
}

#[tokio::test]
async fn nobody_listening_is_a_failed_connection() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", free.local_addr().unwrap());
    drop(free);
    let error = ask(config(&base_url), prompt("Be brief.", "Hello"))
        .await
        .error();
    assert_eq!((error.code(), error.is_retryable()), ("connect", true));
}

#[tokio::test]
async fn characters_survive_being_split_between_packets() {
    let text = "Crème brûlée für 寿司 👩🏽‍🍳!";
    let whole = [chunk(text), finish("stop")].concat();
    let outcome = ask_once(Script::bytewise(whole.as_bytes()), |_| {}).await;
    assert_eq!(outcome.text(), text);
    assert_eq!(outcome.end.unwrap().reason, FinishReason::Stop);
}

#[tokio::test]
async fn dropping_a_reply_stops_the_provider() {
    let provider = Provider::start(Script::stream([chunk("Well, ")]).then_hang()).await;
    let gateway = Gateway::new(config(&provider.base_url)).unwrap();
    let mut reply = gateway.reply(prompt("Be brief.", "Hello")).await.unwrap();
    assert!(matches!(reply.next().await, Ok(Some(Piece::Text(_)))));
    drop(reply);
    tokio::time::timeout(LONG, provider.hung_up())
        .await
        .expect("the connection is still open");
}

#[tokio::test]
async fn a_wait_that_is_cancelled_loses_nothing() {
    let script = Script::stream([chunk("one "), chunk("two "), chunk("three"), finish("stop")])
        .every(Duration::from_millis(40));
    let provider = Provider::start(script).await;
    let gateway = Gateway::new(config(&provider.base_url)).unwrap();
    let mut reply = gateway.reply(prompt("Be brief.", "Hello")).await.unwrap();
    let mut text = String::new();
    loop {
        let patience = Duration::from_millis(5);
        match tokio::time::timeout(patience, reply.next()).await {
            Err(_cancelled) => {}
            Ok(Ok(Some(Piece::Text(more)))) => text.push_str(more.shown()),
            Ok(Ok(Some(Piece::Finished(_)))) => break,
            Ok(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(text, "one two three");
}

#[test]
fn a_base_url_must_be_one() {
    for url in ["", "api.openai.com/v1", "ftp://example.com", "http://"] {
        let error = Gateway::new(config(url)).unwrap_err();
        assert_eq!(error.code(), "misconfigured", "{url}");
    }
}
