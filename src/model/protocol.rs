//! The shapes of OpenAI's chat-completions protocol, as far as the offline model speaks it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NAME, tokens};

/// Tokens that a provider adds around each message, and around them all.
const TOKENS_PER_MESSAGE: usize = 4;
const TOKENS_PER_REQUEST: usize = 3;

/// The body of `POST /v1/chat/completions`. Fields that change nothing here are ignored.
#[derive(Deserialize)]
pub(super) struct ChatRequest {
    pub(super) model: String,
    pub(super) messages: Vec<Message>,
    #[serde(default)]
    pub(super) stream: bool,
    stream_options: Option<StreamOptions>,
    max_completion_tokens: Option<usize>,
    /// The older name of `max_completion_tokens`.
    max_tokens: Option<usize>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

/// A message of the conversation.
#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) role: Role,
    content: Option<Content>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    #[serde(alias = "developer")]
    System,
    User,
    Assistant,
    #[serde(alias = "function")]
    Tool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

impl Message {
    /// What it says; images and sounds say nothing.
    pub(super) fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts.iter().map(|part| part.text.as_str()).collect(),
        }
    }
}

impl ChatRequest {
    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .is_some_and(|options| options.include_usage)
    }

    pub(super) fn most_tokens(&self) -> usize {
        self.max_completion_tokens
            .or(self.max_tokens)
            .unwrap_or(usize::MAX)
    }

    pub(super) fn prompt_tokens(&self) -> usize {
        let messages = self.messages.iter();
        TOKENS_PER_REQUEST
            + messages
                .map(|message| TOKENS_PER_MESSAGE + tokens::count(&message.text()))
                .sum::<usize>()
    }
}

/// An answer with all that goes around it.
pub(super) struct Completion {
    pub(super) id: String,
    /// Unix time in seconds.
    pub(super) created: i64,
    pub(super) pieces: Vec<String>,
    pub(super) finish_reason: &'static str,
    pub(super) prompt_tokens: usize,
}

impl Completion {
    fn usage(&self) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.pieces.len(),
            "total_tokens": self.prompt_tokens + self.pieces.len(),
        })
    }

    /// The answer in one object, for a request that does not stream.
    pub(super) fn whole(&self) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": NAME,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": self.pieces.concat(), "refusal": null},
                "logprobs": null,
                "finish_reason": self.finish_reason,
            }],
            "usage": self.usage(),
        })
    }

    /// The answer as the events of a stream: the role, the text, why it ended, what it used.
    pub(super) fn chunks(&self, with_usage: bool) -> Vec<Value> {
        let role = json!({"role": "assistant", "content": ""});
        let texts = self.pieces.iter().map(|piece| json!({"content": piece}));
        let mut chunks: Vec<Value> = std::iter::once(role)
            .chain(texts)
            .map(|delta| self.chunk(json!([choice(&delta, None)])))
            .collect();
        chunks.push(self.chunk(json!([choice(&json!({}), Some(self.finish_reason))])));
        if with_usage {
            for chunk in &mut chunks {
                chunk["usage"] = Value::Null;
            }
            let mut last = self.chunk(json!([]));
            last["usage"] = self.usage();
            chunks.push(last);
        }
        chunks
    }

    fn chunk(&self, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": NAME,
            "choices": choices,
        })
    }
}

fn choice(delta: &Value, finish_reason: Option<&str>) -> Value {
    json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason})
}

/// An answer to `GET /v1/models`.
pub(super) fn models() -> Value {
    json!({
        "object": "list",
        "data": [{"id": NAME, "object": "model", "created": 0, "owned_by": "fido"}],
    })
}

/// A refusal, in the shape that OpenAI gives them.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
    pub(super) param: Option<&'static str>,
    pub(super) code: Option<&'static str>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": {
            "message": self.message,
            "type": "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }});
        (self.status, Json(body)).into_response()
    }
}
