//! An answer whose type says its status and what is in it, so that it documents itself.

use std::marker::PhantomData;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{self, MediaType, Operation, ReferenceOr, SchemaObject};
use axum::http::StatusCode;
use axum::response::{IntoResponse, IntoResponseParts, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::{answered, written};
use crate::extract::Json;

/// An answer of this status, of which `T` is the body.
pub(crate) struct Reply<const STATUS: u16, T> {
    response: Response,
    body: PhantomData<fn() -> T>,
}

/// What was asked for.
pub(crate) type Found<T> = Reply<200, T>;

/// It is there now; `Location` says where.
pub(crate) type Created<T> = Reply<201, T>;

/// It is recorded; what follows from it will happen.
pub(crate) type Accepted<T> = Reply<202, T>;

/// It is done, and there is nothing to say about it.
pub(crate) type NoContent = Reply<204, ()>;

impl<const STATUS: u16, T: Serialize> Reply<STATUS, T> {
    /// An answer that says `body`.
    pub(crate) fn of(body: T) -> Self {
        Self::from_response((status(STATUS), Json(body)).into_response())
    }
}

impl NoContent {
    /// An answer that says nothing.
    pub(crate) fn new() -> Self {
        Self::from_response(StatusCode::NO_CONTENT.into_response())
    }
}

impl<const STATUS: u16, T> Reply<STATUS, T> {
    fn from_response(response: Response) -> Self {
        Self {
            response,
            body: PhantomData,
        }
    }

    /// The same with these headers.
    pub(crate) fn with(self, headers: impl IntoResponseParts) -> Self {
        Self::from_response((headers, self.response).into_response())
    }
}

/// Only a status that does not exist would be another one.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl<const STATUS: u16, T> IntoResponse for Reply<STATUS, T> {
    fn into_response(self) -> Response {
        self.response
    }
}

impl<const STATUS: u16, T: JsonSchema> OperationOutput for Reply<STATUS, T> {
    type Inner = T;

    fn operation_response(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Option<openapi::Response> {
        let json = || MediaType {
            schema: Some(SchemaObject {
                json_schema: written::<T>(context),
                external_docs: None,
                example: None,
            }),
            ..MediaType::default()
        };
        let has_body = STATUS != StatusCode::NO_CONTENT.as_u16();
        let json = has_body.then(json);
        Some(openapi::Response {
            description: status(STATUS)
                .canonical_reason()
                .unwrap_or_default()
                .to_owned(),
            content: json
                .into_iter()
                .map(|json| ("application/json".to_owned(), json))
                .collect(),
            headers: headers(STATUS)
                .iter()
                .map(|(name, description)| {
                    (
                        (*name).to_owned(),
                        ReferenceOr::Item(answered(description, false)),
                    )
                })
                .collect(),
            ..openapi::Response::default()
        })
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<openapi::StatusCode>, openapi::Response)> {
        let status = Some(openapi::StatusCode::Code(STATUS));
        let response = Self::operation_response(context, operation);
        response
            .map(|response| (status, response))
            .into_iter()
            .collect()
    }
}

/// What an answer of this status may carry.
fn headers(status: u16) -> &'static [(&'static str, &'static str)] {
    const POSITION: (&str, &str) = (
        "Fido-Position",
        "What a query saw, or what a command was recorded at.",
    );
    const REPLAYED: (&str, &str) = (
        "Idempotent-Replayed",
        "`true` when the same request had this effect before.",
    );
    const LOCATION: (&str, &str) = ("Location", "Where it is.");
    match status {
        201 | 202 => &[POSITION, REPLAYED, LOCATION],
        _ => &[POSITION],
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::LOCATION;

    use super::*;
    use crate::answer::At;

    #[test]
    fn an_answer_has_the_status_of_its_type_and_the_headers_it_is_given() {
        let created = Created::of("it").with(At(7)).with([(LOCATION, "/v1/it")]);
        let response = created.into_response();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["fido-position"], "7");
        assert_eq!(response.headers()[LOCATION], "/v1/it");
        assert_eq!(NoContent::new().into_response().status(), 204);
    }
}
