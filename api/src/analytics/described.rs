//! A view as the API's document describes it: which there are, and its two forms.

use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described, SchemaObject, StatusCode};
use aide::{OperationInput, OperationOutput};
use axum::response::{IntoResponse, Response};
use fido_projections::analytics;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

use super::{Item, Viewed};
use crate::answer::{Found, Page};
use crate::document::{ends_well, path_parameter};

/// Rows in the form that was asked for.
pub(super) struct Rows(pub(super) Response);

impl IntoResponse for Rows {
    fn into_response(self) -> Response {
        self.0
    }
}

impl OperationOutput for Rows {
    type Inner = String;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<Described> {
        let mut described = Found::<Page<Item>>::operation_response(context, operation)?;
        let csv = MediaType {
            schema: Some(SchemaObject {
                json_schema: json_schema!({ "type": "string" }),
                external_docs: None,
                example: None,
            }),
            ..MediaType::default()
        };
        described
            .content
            .insert("text/csv; charset=utf-8".to_owned(), csv);
        Some(described)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Described)> {
        ends_well(Self::operation_response(context, operation))
    }
}

impl OperationInput for Viewed {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        path_parameter::<ViewName>(context, operation, "view", "Which of them.");
    }
}

/// The names of the views.
struct ViewName;

impl JsonSchema for ViewName {
    fn schema_name() -> Cow<'static, str> {
        "ViewName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = analytics::VIEWS.iter().map(|view| view.name).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}
