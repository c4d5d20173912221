//! Refuses changes that another site made the browser ask for (CSRF). Browsers say so themselves:
//! `Sec-Fetch-Site`, and older ones `Origin`.

use axum::http::header;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};

use crate::Answer;
use crate::problem::{Kind, Problem};

/// Refuses a request, authenticated by a cookie, that changes something and does not come from
/// this very site.
pub(super) fn refuse(parts: &Parts) -> Answer<()> {
    if parts.method.is_safe() || from_here(&parts.headers, &parts.uri) {
        Ok(())
    } else {
        Err(Problem::new(Kind::CrossSite)
            .detail("with a cookie, changes must come from the same origin"))
    }
}

fn from_here(headers: &HeaderMap, uri: &Uri) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin" || site == "none",
        None => match (origin(headers), host(headers, uri)) {
            (Some(origin), Some(host)) => origin.eq_ignore_ascii_case(&host),
            _ => false,
        },
    }
}

/// Host and port of the page that asks.
fn origin(headers: &HeaderMap) -> Option<String> {
    let origin: Uri = headers.get(header::ORIGIN)?.to_str().ok()?.parse().ok()?;
    origin.scheme()?;
    Some(origin.authority()?.to_string())
}

/// Host and port that were asked: `Host`, or `:authority` in HTTP/2.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    match headers.get(header::HOST) {
        Some(host) => Some(host.to_str().ok()?.to_owned()),
        None => Some(uri.authority()?.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, Request};

    use super::*;

    fn passes(method: Method, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder()
            .method(method)
            .uri("/v1/conversations")
            .header("host", "fido.example:8443");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        refuse(&request.body(()).unwrap().into_parts().0).is_ok()
    }

    #[test]
    fn looking_needs_no_origin() {
        assert!(passes(Method::GET, &[("sec-fetch-site", "cross-site")]));
        assert!(passes(Method::HEAD, &[]));
    }

    #[test]
    fn the_browser_says_where_a_change_comes_from() {
        assert!(passes(Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(passes(Method::POST, &[("sec-fetch-site", "none")]));
        for site in ["cross-site", "same-site", ""] {
            let origin = ("origin", "https://fido.example:8443");
            assert!(
                !passes(Method::DELETE, &[("sec-fetch-site", site), origin]),
                "{site}"
            );
        }
    }

    #[test]
    fn without_it_the_origin_must_be_the_host() {
        assert!(passes(
            Method::POST,
            &[("origin", "https://FIDO.example:8443")]
        ));
        for origin in [
            "https://fido.example",
            "https://fido.example:8443.evil.example",
            "https://evil.example",
            "fido.example:8443",
            "null",
            "",
        ] {
            assert!(!passes(Method::POST, &[("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_change_that_does_not_say_is_refused() {
        assert!(!passes(Method::POST, &[]));
    }
}
