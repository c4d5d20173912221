//! Reads a provider's error objects, leniently: no two providers agree on their fields.

use std::time::Duration;

use async_openai::error::OpenAIError;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use super::GatewayError;
use super::error::Reason;

/// How much of a refusal is read.
pub(super) const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// The longest name of a failure that is kept; longer ones are prose.
const MAX_NAME_BYTES: usize = 64;

/// What an HTTP response other than a success means.
pub(super) fn of_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GatewayError {
    let name = ErrorObject::parse(body).and_then(ErrorObject::name);
    if is_quota(name.as_deref()) {
        return GatewayError::Quota;
    }
    let reason = Reason {
        status: Some(status.as_u16()),
        name,
    };
    match status.as_u16() {
        401 | 403 => GatewayError::Unauthorized,
        402 => GatewayError::Quota,
        429 => GatewayError::RateLimited {
            retry_after: retry_after(headers),
        },
        408 | 409 | 500.. => GatewayError::Provider(reason),
        _ => GatewayError::BadRequest(reason),
    }
}

/// What an event of a stream means that is not part of a reply.
fn of_event(data: &str) -> GatewayError {
    let name = match ErrorObject::parse(data.as_bytes()) {
        Some(error) => error.name(),
        None => Some("unreadable_event".to_owned()),
    };
    if is_quota(name.as_deref()) {
        return GatewayError::Quota;
    }
    if matches!(name.as_deref(), Some("rate_limit_exceeded")) {
        return GatewayError::RateLimited { retry_after: None };
    }
    GatewayError::Provider(Reason { status: None, name })
}

/// Whatever async-openai reports, in our terms; its own texts can carry content and stop here.
impl From<OpenAIError> for GatewayError {
    fn from(error: OpenAIError) -> Self {
        match error {
            OpenAIError::Boxed(ours) => match ours.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(_foreign) => Self::Provider(Reason::default()),
            },
            OpenAIError::Reqwest(source) => Self::Connect(source.without_url()),
            OpenAIError::StreamError(_) => Self::Truncated,
            OpenAIError::JSONDeserialize(_, data) => of_event(&data),
            OpenAIError::ApiError(refusal) => Self::Provider(Reason {
                status: Some(refusal.status_code.as_u16()),
                name: None,
            }),
            OpenAIError::InvalidArgument(_)
            | OpenAIError::FileSaveError(_)
            | OpenAIError::FileReadError(_) => Self::BadRequest(Reason::default()),
        }
    }
}

fn is_quota(name: Option<&str>) -> bool {
    matches!(
        name,
        Some("insufficient_quota" | "billing_hard_limit_reached")
    )
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[derive(Deserialize)]
struct Envelope {
    error: ErrorObject,
}

/// `{"message", "type", "param", "code"}`, of which only the machine's words are read.
#[derive(Deserialize)]
struct ErrorObject {
    #[serde(default)]
    code: Value,
    #[serde(default, rename = "type")]
    kind: Value,
}

impl ErrorObject {
    fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Envelope>(body)
            .ok()
            .map(|envelope| envelope.error)
    }

    /// The code, else the type: whichever is a single word, not prose.
    fn name(self) -> Option<String> {
        [self.code, self.kind]
            .iter()
            .filter_map(Value::as_str)
            .find(|name| is_word(name))
            .map(str::to_owned)
    }
}

fn is_word(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> GatewayError {
        let status = StatusCode::from_u16(status).unwrap();
        of_response(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_status_says_what_to_do_next() {
        let table = [
            (400, "bad_request", false),
            (401, "unauthorized", false),
            (402, "quota", false),
            (403, "unauthorized", false),
            (404, "bad_request", false),
            (408, "provider_error", true),
            (429, "rate_limited", true),
            (500, "provider_error", true),
            (529, "provider_error", true),
        ];
        for (status, code, retryable) in table {
            let error = refused(status, "<html>not even JSON</html>");
            assert_eq!(
                (error.code(), error.is_retryable()),
                (code, retryable),
                "{status}"
            );
        }
    }

    #[test]
    fn a_used_up_quota_is_not_a_rate_limit() {
        let body = r#"{"error":{"message":"You exceeded","type":"insufficient_quota","code":429}}"#;
        assert_eq!(refused(429, body).code(), "quota");
    }

    #[test]
    fn the_words_of_a_provider_do_not_reach_a_log() {
        let body = r#"{"error":{"message":"my secret idea","type":"server_error","code":"my secret idea"}}"#;
        for error in [refused(500, body), refused(400, body), of_event(body)] {
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
        assert_eq!(
            refused(500, body).to_string(),
            "the model provider failed: server_error (HTTP 500)"
        );
    }

    #[test]
    fn a_pause_may_have_a_fraction_and_never_makes_us_fail() {
        let table = [
            ("7", Some(Duration::from_secs(7))),
            ("0.5", Some(Duration::from_millis(500))),
            ("-1", None),
            ("inf", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ];
        for (value, pause) in table {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(retry_after(&headers), pause, "{value}");
        }
    }

    #[test]
    fn an_error_inside_a_stream_keeps_its_meaning() {
        let table = [
            (
                r#"{"error":{"message":"x","type":"server_error"}}"#,
                "provider_error",
            ),
            (
                r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#,
                "rate_limited",
            ),
            (
                r#"{"error":{"message":"x","code":"insufficient_quota"}}"#,
                "quota",
            ),
            ("not json", "provider_error"),
        ];
        for (event, code) in table {
            assert_eq!(of_event(event).code(), code, "{event}");
        }
    }
}
