//! A JSON body of at most 256 KiB, and JSON in answers.

use std::error::Error;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::blamed;
use crate::Answer;
use crate::problem::{Kind, Problem};

/// The largest body that is read.
const LIMIT: usize = 256 * 1024;

/// A body as the type it must have.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Kind::UnsupportedMediaType)
                .field("Content-Type", "must be application/json"));
        }
        let bytes = read(request.into_body()).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|content_type| content_type.to_str().ok())
        .and_then(|content_type| content_type.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(body: Body) -> Answer<Bytes> {
    to_bytes(body, LIMIT).await.map_err(|error| {
        if error
            .source()
            .is_some_and(|source| source.is::<LengthLimitError>())
        {
            Problem::new(Kind::BodyTooLarge).detail(format!("at most {LIMIT} bytes are read"))
        } else {
            Problem::new(Kind::MalformedBody).detail("the body broke off")
        }
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    // serde would take an array as the fields of a struct in order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(not_an_object());
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| refusal(&error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| refusal(".", &error))?;
    Ok(value)
}

/// What is wrong, and where. `path` is serde_path_to_error's: `.` is the whole body.
fn refusal(path: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let field = (!matches!(path, "." | "?")).then_some(path);
    match (error.classify(), field) {
        (Category::Syntax | Category::Eof | Category::Io, None) => {
            Problem::new(Kind::MalformedBody).detail(message)
        }
        (Category::Syntax | Category::Eof | Category::Io, Some(field)) => {
            Problem::new(Kind::MalformedBody).field(field, message)
        }
        (Category::Data, parent) => {
            let message = without_place(&message);
            let problem = Problem::new(Kind::InvalidBody);
            match (parent, blamed(message)) {
                (Some(parent), Some((name, message))) => {
                    problem.field(format!("{parent}.{name}"), message)
                }
                (None, Some((name, message))) => problem.field(name, message),
                (Some(field), None) => problem.field(field, message),
                (None, None) => not_an_object(),
            }
        }
    }
}

fn not_an_object() -> Problem {
    Problem::new(Kind::InvalidBody).detail("the body must be a JSON object")
}

/// The message without serde_json's ` at line 1 column 2`.
fn without_place(message: &str) -> &str {
    message
        .rfind(" at line ")
        .map_or(message, |place| &message[..place])
}

#[cfg(test)]
mod tests;
