//! Every way in which a reply can fail, each with a stable code and whether asking again may help.

use std::fmt;
use std::time::Duration;

use async_openai::error::OpenAIError;

/// Why there is no reply, or no whole one.
///
/// None of these carries what the provider said in words: that can quote the person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The gateway cannot work like this.
    #[error("the model gateway is misconfigured: {0}")]
    Misconfigured(&'static str),
    /// The request did not reach the provider.
    #[error("the model provider cannot be reached")]
    Connect(#[source] reqwest::Error),
    /// It took too long.
    #[error("the model provider was too slow: {0}")]
    Timeout(Wait),
    /// Too many requests or tokens for now.
    #[error("the model provider asks us to slow down")]
    RateLimited {
        /// The pause that the provider asks for.
        retry_after: Option<Duration>,
    },
    /// The key is not accepted.
    #[error("the model provider does not accept the API key")]
    Unauthorized,
    /// The account behind the key has no money or allowance left.
    #[error("the account at the model provider has no quota left")]
    Quota,
    /// The provider refuses the request as such, for example an unknown model.
    #[error("the model provider refuses the request: {0}")]
    BadRequest(Reason),
    /// The provider failed, before or while it wrote.
    #[error("the model provider failed: {0}")]
    Provider(Reason),
    /// The text stopped before its end.
    #[error("the reply was cut off")]
    Truncated,
    /// The reply ended properly without any text.
    #[error("the reply is empty")]
    Empty,
}

impl GatewayError {
    /// The name of the failure for machines; never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Misconfigured(_) => "misconfigured",
            Self::Connect(_) => "connect",
            Self::Timeout(Wait::FirstToken) => "timeout_first_token",
            Self::Timeout(Wait::NextToken) => "timeout_idle",
            Self::Timeout(Wait::WholeReply) => "timeout_total",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::Quota => "quota",
            Self::BadRequest(_) => "bad_request",
            Self::Provider(_) => "provider_error",
            Self::Truncated => "truncated",
            Self::Empty => "empty",
        }
    }

    /// Whether the same request may succeed later. Whether to ask again after part of the text
    /// was already shown is for the caller to weigh.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect(_)
            | Self::Timeout(Wait::FirstToken | Wait::NextToken)
            | Self::RateLimited { .. }
            | Self::Provider(_)
            | Self::Truncated
            | Self::Empty => true,
            Self::Misconfigured(_)
            | Self::Timeout(Wait::WholeReply)
            | Self::Unauthorized
            | Self::Quota
            | Self::BadRequest(_) => false,
        }
    }
}

/// What we were waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The first piece of text.
    FirstToken,
    /// The next sign of life.
    NextToken,
    /// The end.
    WholeReply,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstToken => "no text came",
            Self::NextToken => "the text stalled",
            Self::WholeReply => "the text did not end",
        })
    }
}

/// The provider's own short name for a failure, and its HTTP status where there was one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// The HTTP status; none when the failure came inside a stream.
    pub status: Option<u16>,
    /// A word such as `model_not_found`.
    pub name: Option<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("no reason given");
        match self.status {
            Some(status) => write!(f, "{name} (HTTP {status})"),
            None => f.write_str(name),
        }
    }
}

/// Lets the transport hand our own errors through async-openai.
impl From<GatewayError> for OpenAIError {
    fn from(error: GatewayError) -> Self {
        Self::Boxed(Box::new(error))
    }
}
