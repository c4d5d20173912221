//! A problem as `application/problem+json`.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::{FieldError, Kind, Problem};

/// Why a request was not answered as asked (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody<'a> {
    /// What kind of problem it is, for programs. Stable.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = Kind::ALL.map(Kind::type_uri).to_vec()))]
    name: String,
    /// The same for people.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// More about this occurrence, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The parts of the request that are to blame.
    errors: &'a [FieldError],
    /// The `X-Request-Id` of the answer.
    request_id: &'a str,
}

impl Problem {
    /// Gives the response that was made from this problem its body.
    pub(crate) fn write(&self, response: Response, request_id: &str) -> Response {
        let body = ProblemBody {
            name: self.kind.type_uri(),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail.as_deref(),
            errors: &self.errors,
            request_id,
        };
        let (mut head, _) = response.into_parts();
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        // Strings and numbers always serialize.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Response::from_parts(head, Body::from(body))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_problem_reads_as_rfc_9457_says() {
        let problem = Problem::new(Kind::InvalidBody).field("email", "is required");
        let plain = Problem::new(Kind::InvalidBody).into_response();
        let response = problem.write(plain, "r-1");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "/problems/invalid-body",
                "title": "Some fields are not valid",
                "status": 422,
                "errors": [{ "field": "email", "message": "is required" }],
                "request_id": "r-1",
            })
        );
    }

    #[tokio::test]
    async fn a_cause_never_reaches_the_client() {
        let problem = Problem::new(Kind::Internal).because("relation \"secret\" does not exist");
        let plain = Problem::new(Kind::Internal).into_response();
        let response = problem.write(plain, "r-1");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
    }
}
