//! Why somebody could not be let in with what a provider says.

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{
    ClaimsVerificationError, DiscoveryError, RequestTokenError, StandardErrorResponse,
};

use super::http::HttpError;
use crate::problem::{Kind, Problem, describe};

type TokenError = RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>;

/// Why it did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The provider cannot be asked, or does not say what a provider has to.
    #[error("the provider's configuration cannot be read")]
    Discovery(#[from] DiscoveryError<HttpError>),
    /// The provider does not take the code, or cannot be asked.
    #[error("the provider gives no token")]
    Token(#[source] Box<TokenError>),
    /// What the provider has signed is not for this sign-in.
    #[error("the ID token is not right")]
    Claims(#[from] ClaimsVerificationError),
    /// There is none.
    #[error("the provider has sent no ID token")]
    NoIdToken,
    /// It does not say of whom.
    #[error("the ID token names nobody")]
    NoSubject,
    /// The browser does not bring back what it was sent away with.
    #[error("the browser was not sent from here, has come back before, or took too long")]
    Strange,
    /// The person or the provider said no.
    #[error("the provider has let nobody in")]
    Refused,
    /// The settings do not fit the provider.
    #[error("the provider is misconfigured")]
    Misconfigured,
}

impl From<TokenError> for OidcError {
    fn from(error: TokenError) -> Self {
        Self::Token(Box::new(error))
    }
}

impl OidcError {
    /// Whether the provider is to blame, and a later attempt may go well.
    fn passes(&self) -> bool {
        match self {
            Self::Discovery(_) | Self::Misconfigured => true,
            Self::Token(error) => matches!(**error, RequestTokenError::Request(_)),
            Self::Claims(_) | Self::NoIdToken | Self::NoSubject | Self::Strange | Self::Refused => {
                false
            }
        }
    }
}

impl From<OidcError> for Problem {
    fn from(error: OidcError) -> Self {
        if error.passes() {
            return Self::new(Kind::Unavailable).because(error);
        }
        // A forged answer is nothing that an operator could repair.
        tracing::warn!(
            error = describe(&error),
            "a sign-in with a provider was refused"
        );
        Self::new(Kind::SignInFailed).detail(error.to_string())
    }
}
