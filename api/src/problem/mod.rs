//! Everything that can go wrong, and the status that says so; no other file chooses one. What a
//! client reads is chosen here too: the cause of a failure goes to the log only.

mod body;
mod causes;
mod kind;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aide::OperationOutput;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use body::ProblemBody;
pub(crate) use kind::Kind;

/// One part of a request that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct FieldError {
    /// The field of the body, the parameter or the header.
    pub(crate) field: String,
    /// What is wrong with it, for the person who sent it.
    pub(crate) message: String,
}

/// An answer that is not what was asked for (RFC 9457).
///
/// As a response it has a status and headers; its body is written by
/// `request::observe`, which knows the request's id.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem that its title says all about.
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            detail: None,
            errors: Vec::new(),
            retry_after: None,
            cause: None,
        }
    }

    /// Says more about this occurrence, in words for the client.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the part of the request that is to blame.
    pub(crate) fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    /// Says when the same request may succeed.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Of which kind it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// What has caused it, for the log alone.
    pub(crate) fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The fields that it names.
    #[cfg(test)]
    pub(crate) fn named_fields(&self) -> impl Iterator<Item = &str> {
        self.errors.iter().map(|error| error.field.as_str())
    }

    /// What has caused it and what has caused that, on one line.
    pub(crate) fn chain(&self) -> Option<String> {
        let cause = self.cause.as_deref()?;
        Some(describe(cause))
    }
}

/// An error and its sources on one line, outermost first.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        let headers = response.headers_mut();
        if self.kind.asks_to_sign_in() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let soon = self.kind.passes().then_some(Duration::from_secs(1));
        if let Some(wait) = self.retry_after.or(soon) {
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Which problems an operation may end in is told where they arise.
impl OperationOutput for Problem {
    type Inner = Self;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_with_its_sources() {
        #[derive(Debug, thiserror::Error)]
        #[error("the replica cannot be reached")]
        struct Outer(#[source] std::io::Error);
        let problem =
            Problem::new(Kind::Unavailable).because(Outer(std::io::Error::other("refused")));
        assert_eq!(
            problem.chain().as_deref(),
            Some("the replica cannot be reached: refused")
        );
    }

    #[test]
    fn what_passes_says_when_to_ask_again() {
        let response = Problem::new(Kind::ReplicaBehind).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    }

    #[test]
    fn whoever_is_not_signed_in_learns_how() {
        let response = Problem::new(Kind::Unauthenticated).into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
}
