//! A JSON body of at most 256 KiB, and JSON in answers.

use std::error::Error;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, RequestBody, SchemaObject};
use aide::operation::set_body;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::blamed;
use crate::Answer;
use crate::document::{may_end_in, read};
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
        let bytes = read_body(request.into_body()).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: JsonSchema> OperationInput for Json<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let media = MediaType {
            schema: Some(SchemaObject {
                json_schema: read::<T>(context),
                external_docs: None,
                example: None,
            }),
            ..MediaType::default()
        };
        let body = RequestBody {
            description: None,
            content: [("application/json".to_owned(), media)]
                .into_iter()
                .collect(),
            required: true,
            extensions: Default::default(),
        };
        set_body(context, operation, body);
        may_end_in(
            operation,
            &[
                Kind::MalformedBody,
                Kind::BodyTooLarge,
                Kind::UnsupportedMediaType,
                Kind::InvalidBody,
            ],
        );
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

/// The whole of a body, if it is not beyond the limit.
pub(crate) async fn read_body(body: Body) -> Answer<Bytes> {
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
        return Err(well_formed(bytes).err().unwrap_or_else(not_an_object));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        // `.` is the whole body, `?` something without a name.
        let field = (!matches!(path.as_str(), "." | "?")).then_some(path);
        match well_formed(bytes) {
            Ok(()) => invalid(field, error.inner()),
            Err(_) if error.inner().is_syntax() => malformed(field, error.inner()),
            Err(malformed) => malformed,
        }
    })?;
    json.end().map_err(|error| malformed(None, &error))?;
    Ok(value)
}

/// What is no JSON at all is called that, whichever mistake comes first.
fn well_formed(bytes: &[u8]) -> Answer<()> {
    serde_json::from_slice::<serde_json::Value>(bytes)
        .map(drop)
        .map_err(|error| malformed(None, &error))
}

fn malformed(field: Option<String>, error: &serde_json::Error) -> Problem {
    let problem = Problem::new(Kind::MalformedBody);
    match field {
        Some(field) => problem.field(field, error.to_string()),
        None => problem.detail(error.to_string()),
    }
}

fn invalid(field: Option<String>, error: &serde_json::Error) -> Problem {
    let problem = Problem::new(Kind::InvalidBody);
    let message = error.to_string();
    let message = match without_place(&message) {
        // serde_json's word for what can be no variant of an enum.
        "expected value" => "is of the wrong type",
        message => message,
    };
    match (field, blamed(message)) {
        (Some(parent), Some((name, message))) => problem.field(format!("{parent}.{name}"), message),
        (None, Some((name, message))) => problem.field(name, message),
        (Some(field), None) => problem.field(field, message),
        (None, None) => not_an_object(),
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
