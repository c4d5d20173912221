//! Finds the token in a request. When a bearer token and a cookie are both there, the bearer token
//! counts: it was put there on purpose.

use axum::http::{HeaderMap, header};
use fido_commands::auth::SessionToken;

use super::SessionCookie;

/// A token, and how it came.
#[derive(Debug)]
pub(super) enum Credential {
    /// In `Authorization`, by a program that meant to send it.
    Bearer(SessionToken),
    /// In `Cookie`, which browsers send whoever made them ask.
    Cookie(SessionToken),
}

impl Credential {
    /// The token that the request carries, if it carries one.
    pub(super) fn of(headers: &HeaderMap, cookie: SessionCookie) -> Option<Self> {
        let bearer = bearer(headers).map(SessionToken::presented);
        let in_cookie = || cookie.find(headers).map(SessionToken::presented);
        bearer
            .map(Self::Bearer)
            .or_else(|| in_cookie().map(Self::Cookie))
    }

    pub(super) fn token(&self) -> &SessionToken {
        match self {
            Self::Bearer(token) | Self::Cookie(token) => token,
        }
    }

    /// Whether another site may be behind the request.
    pub(super) fn sent_by_the_browser_itself(&self) -> bool {
        match self {
            Self::Bearer(_) => false,
            Self::Cookie(_) => true,
        }
    }
}

/// RFC 6750 2.1; the scheme's name is case-insensitive (RFC 9110 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim_start())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn found(headers: &[(&'static str, &'static str)]) -> Option<(bool, String)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let credential = Credential::of(&map, SessionCookie::Secure)?;
        let token = credential.token().reveal().to_owned();
        Some((credential.sent_by_the_browser_itself(), token))
    }

    #[test]
    fn a_bearer_token_wins_over_a_cookie() {
        let both = [("cookie", "__Host-fido=c"), ("authorization", "bearer b")];
        assert_eq!(found(&both), Some((false, "b".to_owned())));
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let cookies = [("cookie", "a=1; __Host-fido=c; b=2")];
        assert_eq!(found(&cookies), Some((true, "c".to_owned())));
        let spread = [("cookie", "a=1"), ("cookie", "__Host-fido=c")];
        assert_eq!(found(&spread), Some((true, "c".to_owned())));
    }

    #[test]
    fn whatever_else_is_sent_is_no_credential() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("authorization", "Basic YTpi")]), None);
        assert_eq!(found(&[("cookie", "fido=c; x__Host-fido=d")]), None);
    }
}
