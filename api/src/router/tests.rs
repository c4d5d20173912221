//! What every answer has, whatever the route.

use axum::body::Body;
use axum::http::{Method, Request};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::Answer;
use crate::extract::Json;

fn routes() -> Router {
    async fn panics() {
        panic!("content that nobody may see");
    }
    async fn echo(Json(body): Json<Value>) -> Answer<Json<Value>> {
        Ok(Json(body))
    }
    around(
        Router::new()
            .route("/here", get(async || "here"))
            .route("/long", get(async || "long ".repeat(100)))
            .route(
                "/events",
                get(async || {
                    (
                        [(header::CONTENT_TYPE, "text/event-stream")],
                        "data: 1\n\n".repeat(100),
                    )
                }),
            )
            .route("/panics", get(panics))
            .route("/echo", post(echo)),
    )
}

async fn ask(request: Request<Body>) -> (Response, Value) {
    let response = routes().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    (Response::from_parts(head, Body::empty()), body)
}

fn request(method: Method, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("x-request-id", "r-1")
        .body(Body::empty())
        .unwrap()
}

async fn problem(request: Request<Body>, status: u16, name: &str) -> Response {
    let (response, body) = ask(request).await;
    assert_eq!(response.status(), status);
    let headers = response.headers();
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(
        headers["x-request-id"],
        body["request_id"].as_str().unwrap()
    );
    assert_eq!(body["type"], format!("/problems/{name}"));
    assert_eq!(body["status"], status);
    assert!(!body.to_string().contains("content that nobody may see"));
    response
}

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    problem(request(Method::GET, "/nowhere"), 404, "not-found").await;
}

#[tokio::test]
async fn a_wrong_method_is_a_problem_that_names_the_right_ones() {
    let wrong = request(Method::DELETE, "/here");
    let response = problem(wrong, 405, "method-not-allowed").await;
    assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn a_panic_is_a_problem() {
    problem(request(Method::GET, "/panics"), 500, "internal").await;
}

#[tokio::test]
async fn a_body_of_another_type_is_a_problem() {
    let other = request(Method::POST, "/echo");
    problem(other, 415, "unsupported-media-type").await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_a_problem() {
    let mut large = request(Method::POST, "/echo");
    large.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    *large.body_mut() = Body::from(vec![b' '; 10 * 1024 * 1024]);
    problem(large, 413, "body-too-large").await;
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_not_kept() {
    let (response, _) = ask(request(Method::GET, "/here")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-request-id"], "r-1");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(
        response.headers()[header::X_CONTENT_TYPE_OPTIONS],
        "nosniff"
    );
}

#[tokio::test]
async fn answers_are_compressed_but_event_streams_never() {
    let encoding = async |path| {
        let mut asked = request(Method::GET, path);
        let gzip = HeaderValue::from_static("gzip");
        asked.headers_mut().insert(header::ACCEPT_ENCODING, gzip);
        let response = routes().oneshot(asked).await.unwrap();
        response.headers().get(header::CONTENT_ENCODING).cloned()
    };
    assert_eq!(encoding("/long").await.unwrap(), "gzip");
    assert_eq!(encoding("/events").await, None);
}
