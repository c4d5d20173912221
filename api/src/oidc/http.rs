//! How providers are asked: no redirects, no waiting for ever, no answers without end.

use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};

use super::settings::OidcSettingsError;

/// How long connecting may take, and a whole request.
const CONNECT: Duration = Duration::from_secs(3);
const WHOLE: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const LONGEST: usize = 1024 * 1024;

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The provider cannot be reached, or has stopped talking.
    #[error("the provider cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// More than anybody needs to say.
    #[error("the provider's answer is beyond {LONGEST} bytes")]
    TooLong,
    /// It could not be put together.
    #[error("the answer cannot be read")]
    Unreadable(#[source] axum::http::Error),
}

/// A client for all providers.
#[derive(Debug, Clone)]
pub(super) struct Http(reqwest::Client);

impl Http {
    pub(super) fn new() -> Result<Self, OidcSettingsError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // A redirect would carry code and secret to somebody else.
            .redirect(reqwest::redirect::Policy::none());
        Ok(Self(client.build().map_err(OidcSettingsError::Tls)?))
    }

    pub(super) async fn send(self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let unreachable = |error: reqwest::Error| HttpError::Unreachable(error.without_url());
        let request: reqwest::Request = request.try_into().map_err(unreachable)?;
        let mut answer = self.0.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + piece.len() > LONGEST {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        let mut response = axum::http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        response.body(body).map_err(HttpError::Unreadable)
    }
}
