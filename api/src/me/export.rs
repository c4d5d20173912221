//! Everything about somebody as a download, for them to take with them.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use fido_commands::export;
use futures::StreamExt;

use crate::identity::SignedIn;
use crate::problem::describe;
use crate::{Answer, App};

pub(super) async fn export(State(api): App, who: SignedIn) -> Answer<impl IntoResponse> {
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
    Ok((headers, Body::from_stream(pieces)))
}
