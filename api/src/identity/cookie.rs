//! The cookies in which browsers keep the session, and what they need while they are away to sign in.

use std::convert::Infallible;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};
use fido_commands::ambient;
use fido_commands::auth::{BrowserSecret, OpenedSession};

/// How long a browser may be away, in seconds.
const AWAY: i64 = 10 * 60;

/// How browsers are to keep the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionCookie {
    /// `__Host-fido`: sent over TLS only, and to this host only.
    #[default]
    Secure,
    /// `fido`: for `http://localhost`, where browsers keep no secure cookie.
    PlainLocalhost,
}

impl SessionCookie {
    fn name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-fido",
            Self::PlainLocalhost => "fido",
        }
    }

    /// Of the cookie that is kept while the browser is at a provider.
    fn name_while_away(self) -> &'static str {
        match self {
            Self::Secure => "__Host-fido-oidc",
            Self::PlainLocalhost => "fido-oidc",
        }
    }

    fn attributes(self) -> &'static str {
        match self {
            Self::Secure => "Path=/; HttpOnly; SameSite=Lax; Secure",
            Self::PlainLocalhost => "Path=/; HttpOnly; SameSite=Lax",
        }
    }

    /// The token in the request's cookies.
    pub(super) fn find(self, headers: &HeaderMap) -> Option<&str> {
        named(self.name(), headers)
    }

    /// What the browser was sent to a provider with.
    pub(crate) fn sent_away(self, headers: &HeaderMap) -> Option<BrowserSecret> {
        named(self.name_while_away(), headers).map(BrowserSecret::presented)
    }

    /// Has the browser keep `secret` while it is at a provider.
    pub(crate) fn send_away(self, secret: &BrowserSecret) -> SetCookie {
        SetCookie(self.set(self.name_while_away(), secret.reveal(), AWAY))
    }

    /// Has the browser forget it.
    pub(crate) fn is_back(self) -> SetCookie {
        SetCookie(self.set(self.name_while_away(), "", 0))
    }

    /// Has the browser keep `opened` for as long as it is open.
    pub(crate) fn keep(self, opened: &OpenedSession) -> SetCookie {
        let seconds = (opened.expires_at - ambient::now()).whole_seconds();
        SetCookie(self.set(self.name(), opened.token.reveal(), seconds))
    }

    /// Has the browser forget it.
    pub(crate) fn forget(self) -> SetCookie {
        SetCookie(self.set(self.name(), "", 0))
    }

    fn set(self, name: &str, value: &str, seconds: i64) -> String {
        let attributes = self.attributes();
        format!("{name}={value}; Max-Age={seconds}; {attributes}")
    }
}

/// The value of the cookie `name` among the request's.
fn named<'a>(name: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// `Set-Cookie`, as a part of a response.
pub(crate) struct SetCookie(String);

impl IntoResponseParts for SetCookie {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        // Tokens are base64url, so this is always a header value.
        if let Ok(mut cookie) = HeaderValue::from_str(&self.0) {
            cookie.set_sensitive(true);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secure_cookie_keeps_the_promises_of_its_prefix() {
        assert_eq!(
            SessionCookie::Secure.set("__Host-fido", "t", 60),
            "__Host-fido=t; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn on_plain_localhost_the_cookie_is_kept_too() {
        assert_eq!(
            SessionCookie::PlainLocalhost.set("fido", "t", 60),
            "fido=t; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_forgotten_cookie_is_empty_and_over() {
        assert!(
            SessionCookie::Secure
                .forget()
                .0
                .starts_with("__Host-fido=; Max-Age=0;")
        );
    }
}
