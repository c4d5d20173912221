//! Positions that clients send: what they have seen, and what they want to see at least.

use std::borrow::Cow;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use fido_domain::Position;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::Answer;
use crate::document::{header, may_end_in};
use crate::problem::{Kind, Problem};

/// `Fido-Min-Position`: the answer must show the log up to here, or further.
pub(crate) struct MinPosition(pub(crate) Option<Position>);

impl<S: Send + Sync> FromRequestParts<S> for MinPosition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        in_header(&parts.headers, "Fido-Min-Position").map(Self)
    }
}

impl OperationInput for MinPosition {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let description = "The answer must show the log up to this position, or further.";
        header::<After>(context, operation, "Fido-Min-Position", description);
        may_end_in(operation, &[Kind::ReplicaBehind]);
    }
}

/// `Last-Event-ID`: the last event that an event stream brought before it broke off.
pub(crate) struct LastEventId(pub(crate) Option<Position>);

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        in_header(&parts.headers, "Last-Event-ID").map(Self)
    }
}

impl OperationInput for LastEventId {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let description = "The last event that came before the stream broke off; browsers send it.";
        header::<After>(context, operation, "Last-Event-ID", description);
    }
}

/// A position as a parameter.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct After(pub(crate) Position);

impl JsonSchema for After {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Position".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "format": "int64", "minimum": 0, "maximum": Position::MAX,
        })
    }
}

impl TryFrom<String> for After {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse(&text).map(Self)
    }
}

fn in_header(headers: &HeaderMap, name: &'static str) -> Answer<Option<Position>> {
    headers
        .get(name)
        .map(|value| parse(value.to_str().unwrap_or_default()))
        .transpose()
        .map_err(|message| Problem::new(Kind::InvalidParameter).field(name, message))
}

fn parse(text: &str) -> Result<Position, &'static str> {
    text.parse()
        .ok()
        .filter(|position| *position >= 0)
        .ok_or("must be a position: a whole number from 0 on")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_position_is_a_whole_number_from_0_on() {
        assert_eq!(parse("0"), Ok(0));
        assert_eq!(parse("9223372036854775807"), Ok(Position::MAX));
        for text in ["", "-1", "1.0", "one", "9223372036854775808", " 1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_that_is_no_position_is_named() {
        let mut headers = HeaderMap::new();
        assert!(matches!(in_header(&headers, "Last-Event-ID"), Ok(None)));
        headers.insert("last-event-id", HeaderValue::from_static("x"));
        let problem = in_header(&headers, "Last-Event-ID").unwrap_err();
        assert_eq!(problem.named_fields().next(), Some("Last-Event-ID"));
    }
}
