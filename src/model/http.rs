//! The routes of the offline model.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use fido_commands::ambient;
use futures::StreamExt;
use futures::stream;
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use super::protocol::{self, ChatRequest, Completion, Message, Refusal, Role};
use super::writer::{self, Brief};
use super::{NAME, Options, tokens};

#[derive(Clone)]
struct Server {
    options: Options,
    shutdown: CancellationToken,
}

/// Everything the offline model answers to.
pub(super) fn router(options: Options, shutdown: CancellationToken) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(complete))
        .route("/v1/models", get(models))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(Server { options, shutdown })
}

async fn complete(
    State(server): State<Server>,
    _bearer: Bearer,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request = parse(&body)?;
    let pace = Pace::begin(server.options, server.shutdown);
    let completion = answer(&request);
    if request.stream {
        return Ok(streamed(&completion, request.wants_usage(), pace));
    }
    pace.wait_for(completion.pieces.len()).await;
    Ok(Json(completion.whole()).into_response())
}

async fn models(_bearer: Bearer) -> Response {
    Json(protocol::models()).into_response()
}

async fn unknown(method: Method, uri: Uri) -> Refusal {
    Refusal {
        status: StatusCode::NOT_FOUND,
        message: format!("Invalid URL ({method} {})", uri.path()),
        param: None,
        code: None,
    }
}

fn parse(body: &[u8]) -> Result<ChatRequest, Refusal> {
    let invalid = |message: String, param| Refusal {
        status: StatusCode::BAD_REQUEST,
        message,
        param,
        code: None,
    };
    let request: ChatRequest = serde_json::from_slice(body)
        .map_err(|error| invalid(format!("The body cannot be read: {error}"), None))?;
    if request.messages.is_empty() {
        return Err(invalid(
            "There are no messages.".to_owned(),
            Some("messages"),
        ));
    }
    if request.model != NAME {
        return Err(Refusal {
            status: StatusCode::NOT_FOUND,
            message: format!("The model `{}` does not exist.", request.model),
            param: Some("model"),
            code: Some("model_not_found"),
        });
    }
    Ok(request)
}

fn answer(request: &ChatRequest) -> Completion {
    let text = writer::write(&Brief::new(
        &words_of(&request.messages, Role::System),
        words_of(&request.messages, Role::User),
    ));
    let all = tokens::pieces(&text);
    let written = all.len().min(request.most_tokens());
    Completion {
        id: format!("chatcmpl-{}", ambient::new_id().simple()),
        created: ambient::now().unix_timestamp(),
        pieces: all.iter().take(written).map(ToString::to_string).collect(),
        finish_reason: if written < all.len() {
            "length"
        } else {
            "stop"
        },
        prompt_tokens: request.prompt_tokens(),
    }
}

fn words_of(messages: &[Message], role: Role) -> Vec<String> {
    messages
        .iter()
        .filter(|message| message.role == role)
        .map(Message::text)
        .collect()
}

/// Server-sent events: each chunk when it is due, then `[DONE]`.
fn streamed(completion: &Completion, with_usage: bool, pace: Pace) -> Response {
    let events = completion
        .chunks(with_usage)
        .into_iter()
        .map(|chunk| chunk.to_string())
        .chain(std::iter::once("[DONE]".to_owned()))
        .enumerate();
    let events = stream::unfold((events, pace), |(mut events, pace)| async move {
        let (nth, data) = events.next()?;
        pace.wait_for(nth).await;
        let event = Ok::<_, Infallible>(Event::default().data(data));
        Some((event, (events, pace)))
    });
    Sse::new(events.boxed()).into_response()
}

/// Proof that the caller sent a key. Any key will do.
struct Bearer;

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let key = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        match key {
            Some(key) if !key.trim().is_empty() => Ok(Self),
            Some(_) | None => Err(Refusal {
                status: StatusCode::UNAUTHORIZED,
                message: "You didn't provide an API key.".to_owned(),
                param: None,
                code: Some("invalid_api_key"),
            }),
        }
    }
}
