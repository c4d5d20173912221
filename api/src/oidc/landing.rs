//! Where a browser may be sent in the end: to pages of this installation, and to no others.

use reqwest::Url;

use crate::Answer;
use crate::problem::{Kind, Problem};

/// The longest address.
const LONGEST: usize = 2_000;

/// The places where people may land.
#[derive(Debug, Clone)]
pub(super) struct Landing {
    public: Url,
    origins: Vec<String>,
}

impl Landing {
    pub(super) fn new(public: Url, others: &[Url]) -> Self {
        let origins = others.iter().chain([&public]).map(origin).collect();
        Self { public, origins }
    }

    /// This installation's own address of `path`.
    pub(super) fn own(&self, path: &str) -> Url {
        let mut url = self.public.clone();
        url.set_path(path);
        url
    }

    /// The address of `asked`: a path here, or a URL at one of the origins; without one, the root.
    pub(super) fn at(&self, asked: Option<&str>) -> Answer<Url> {
        let Some(asked) = asked else {
            return Ok(self.public.clone());
        };
        self.parse(asked).ok_or_else(|| {
            Problem::new(Kind::InvalidParameter).field(
                "return_to",
                "must be a path that begins with one slash, or a URL of an origin that is allowed",
            )
        })
    }

    fn parse(&self, asked: &str) -> Option<Url> {
        if asked.len() > LONGEST {
            return None;
        }
        let url = if asked.starts_with('/') {
            // What a browser takes for another host, such as `//host` and `/\host`, is seen below.
            self.public.join(asked).ok()?
        } else {
            Url::parse(asked).ok()?
        };
        let is_plain = url.username().is_empty() && url.password().is_none();
        (is_plain && self.origins.contains(&origin(&url))).then_some(url)
    }
}

/// Scheme, host and port; of what has none, something that nothing else equals.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landing() -> Landing {
        let others = ["http://localhost:5173", "https://app.example"];
        let others = others.map(|url| url.parse().unwrap());
        Landing::new("https://api.example".parse().unwrap(), &others)
    }

    fn at(asked: &str) -> Option<String> {
        landing().at(Some(asked)).ok().map(String::from)
    }

    #[test]
    fn a_path_is_one_of_this_installation() {
        assert_eq!(
            at("/plans?a=1#b").as_deref(),
            Some("https://api.example/plans?a=1#b")
        );
        assert_eq!(landing().at(None).unwrap().as_str(), "https://api.example/");
    }

    #[test]
    fn a_url_is_of_an_origin_that_is_allowed() {
        for url in [
            "https://app.example/x",
            "http://localhost:5173/",
            "https://api.example/",
        ] {
            assert_eq!(at(url).as_deref(), Some(url));
        }
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for elsewhere in [
            "https://evil.example/",
            "https://app.example.evil.example/",
            "https://app.example@evil.example/",
            "https://me:secret@app.example/",
            "https://app.example:8443/",
            "http://app.example/",
            "http://localhost:5174/",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "blob:https://evil.example/x",
            "plans",
            "",
        ] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(at(&format!("/{}", "x".repeat(2_000))), None);
    }
}
