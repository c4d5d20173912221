//! What a gateway needs to know: where the provider is, with which key, and how long to wait.

use std::fmt;
use std::time::Duration;

use super::GatewayError;

/// One model at one provider.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Where the API begins, with the version: `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key that pays.
    pub api_key: ApiKey,
    /// The model as the provider spells it.
    pub model: String,
    /// How long to wait for what.
    pub timeouts: Timeouts,
}

impl GatewayConfig {
    /// A configuration with the default [`Timeouts`].
    pub fn new(base_url: impl Into<String>, api_key: ApiKey, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            model: model.into(),
            timeouts: Timeouts::default(),
        }
    }
}

/// How long each part of a reply may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the request to the first piece of text. Models that think first need long.
    pub first_token: Duration,
    /// Between two signs of life, once the text has begun.
    pub between_tokens: Duration,
    /// From the request to the end of the reply.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(30),
            between_tokens: Duration::from_secs(20),
            total: Duration::from_secs(300),
        }
    }
}

/// A provider's key. Never shown, not even by `Debug`.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key as it comes from a file or the environment, surrounding blanks removed.
    ///
    /// # Errors
    /// [`GatewayError::Misconfigured`] when nothing is left, or a character in it cannot
    /// travel in an HTTP header.
    pub fn parse(key: &str) -> Result<Self, GatewayError> {
        let key = key.trim();
        if key.is_empty() {
            return Err(GatewayError::Misconfigured("the API key is empty"));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(GatewayError::Misconfigured(
                "the API key has characters that no header may carry",
            ));
        }
        Ok(Self(key.to_owned()))
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_trimmed_and_never_shown() {
        let key = ApiKey::parse(" sk-secret\n").unwrap();
        assert_eq!(key.reveal(), "sk-secret");
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
    }

    #[test]
    fn a_key_that_no_header_may_carry_is_refused() {
        for key in ["", "  \n", "two words", "line\nbreak", "schlüssel"] {
            assert_eq!(ApiKey::parse(key).unwrap_err().code(), "misconfigured");
        }
    }
}
