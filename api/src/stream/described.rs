//! An event stream as the API's document describes it.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described, SchemaObject, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::json_schema;

use crate::document::ends_well;

/// Frames until somebody hangs up.
pub(super) struct EventStream(pub(super) Response);

const FRAMES: &str = "Server-sent events.\n\n\
| event | id | data |\n|---|---|---|\n\
| `hello` | | `{position}`: what happens after it will be told |\n\
| `<aggregate>.<event_type>` | position | `{position, aggregate_type, aggregate_id, sequence, \
event_type, recorded_at, payload}` |\n\
| `reply.delta` | | `{conversation_id, reply_id, attempt, n, text}`; `n` is 1, 2, 3 … within the \
attempt |\n\
| `reply.snapshot` | | the same after a reconnect: all up to and including delta `n` |\n\
| `reply.restarted` | | `{conversation_id, reply_id, attempt}`: forget the text so far |\n\
| `reset` | | `{reason, position}`: read afresh, at that position or later |\n\
| `goodbye` | | `{reason}`, and a `retry:` field: come back |\n";

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        self.0
    }
}

impl OperationOutput for EventStream {
    type Inner = String;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<Described> {
        let media = MediaType {
            schema: Some(SchemaObject {
                json_schema: json_schema!({ "type": "string" }),
                external_docs: None,
                example: None,
            }),
            ..MediaType::default()
        };
        Some(Described {
            description: FRAMES.to_owned(),
            content: [("text/event-stream".to_owned(), media)]
                .into_iter()
                .collect(),
            ..Described::default()
        })
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Described)> {
        ends_well(Self::operation_response(context, operation))
    }
}
