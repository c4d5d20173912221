//! Signing in elsewhere, as the API's document describes it.

use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described, StatusCode as Status};
use aide::{OperationInput, OperationOutput};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, IntoResponseParts, Response};

use super::Named;
use crate::document::{bodiless, path_parameter};

/// Sends the browser to another page.
pub(super) struct Elsewhere(Response);

impl Elsewhere {
    /// There, with these headers as well.
    pub(super) fn to(location: [(HeaderName, String); 1], headers: impl IntoResponseParts) -> Self {
        Self((StatusCode::SEE_OTHER, headers, location).into_response())
    }
}

impl IntoResponse for Elsewhere {
    fn into_response(self) -> Response {
        self.0
    }
}

impl OperationOutput for Elsewhere {
    type Inner = Self;

    fn inferred_responses(
        _: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        let page = bodiless("`Location` is the page to go to.");
        vec![(Some(Status::Code(303)), page)]
    }
}

impl OperationInput for Named {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let description = "The name of the provider in this installation.";
        path_parameter::<String>(context, operation, "provider", description);
    }
}
