//! Everything about somebody as a download, for them to take with them.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described, StatusCode};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use fido_commands::export;
use futures::StreamExt;

use crate::document::in_form;
use crate::identity::SignedIn;
use crate::problem::describe;
use crate::{Answer, App};

pub(super) async fn export(State(api): App, who: SignedIn) -> Answer<Download> {
    let pieces = export::export(api.store.clone(), api.auth.clone(), who.account_id);
    let pieces = pieces.inspect(|piece| {
        // The download breaks off, so that nobody takes it for whole.
        if let Err(error) = piece {
            tracing::error!(error = describe(error), "an export broke off");
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"fido-export.json\"",
        ),
    ];
    Ok(Download(
        (headers, Body::from_stream(pieces)).into_response(),
    ))
}

/// A file of JSON, in pieces as they are read.
pub(super) struct Download(Response);

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        self.0
    }
}

impl OperationOutput for Download {
    type Inner = Self;

    fn inferred_responses(
        _: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Described)> {
        let file = in_form(
            "application/json",
            "Account, sessions and every event, in one object.",
        );
        vec![(Some(StatusCode::Code(200)), file)]
    }
}
