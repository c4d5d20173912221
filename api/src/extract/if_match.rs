//! `If-Match`: the state that an edit is based on.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use schemars::JsonSchema;

use crate::Answer;
use crate::document::{header as documented, may_end_in};
use crate::problem::{Kind, Problem};

/// What nothing is at.
const NEVER: i64 = -1;

/// `If-Match`, which holds one `ETag` or `*`. It goes into the command, so that whether it fits is
/// decided together with what follows, and nobody gets in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Nothing was sent: whatever is there is changed.
    Absent,
    /// `*`: the same, said aloud.
    Any,
    /// What stands in the quotes.
    Seen(String),
}

impl IfMatch {
    /// The sequence of the stream that was seen; none when any will do.
    pub(crate) fn sequence(&self) -> Option<i64> {
        self.number(|tag| tag)
    }

    /// The revision of the section that was seen; none when any will do.
    pub(crate) fn revision(&self) -> Option<u32> {
        let revision = self.number(|tag| tag.split('-').next().unwrap_or(tag))?;
        Some(u32::try_from(revision).unwrap_or(u32::MAX))
    }

    /// The same for edits that must say what they are based on.
    pub(crate) fn required(self) -> Answer<Self> {
        match self {
            Self::Absent => Err(Problem::new(Kind::PreconditionRequired).field(
                "If-Match",
                "must be the ETag of what you have changed, or * to overwrite whatever is there",
            )),
            Self::Any | Self::Seen(_) => Ok(self),
        }
    }

    fn number(&self, part: impl FnOnce(&str) -> &str) -> Option<i64> {
        match self {
            Self::Absent | Self::Any => None,
            Self::Seen(tag) => {
                let digits = part(tag);
                let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
                Some(digits.parse().ok().filter(|_| is_number).unwrap_or(NEVER))
            }
        }
    }

    fn of(headers: &HeaderMap) -> Result<Self, &'static str> {
        let mut values = headers.get_all(header::IF_MATCH).iter();
        let (first, more) = (values.next(), values.next());
        match (first.map(HeaderValue::to_str), more) {
            (None, _) => Ok(Self::Absent),
            (Some(Ok(value)), None) => parse(value.trim()),
            (Some(_), _) => Err(ONE_TAG),
        }
    }
}

const ONE_TAG: &str = "must be one ETag in its quotes, or *";

fn parse(value: &str) -> Result<IfMatch, &'static str> {
    if value == "*" {
        return Ok(IfMatch::Any);
    }
    let (tag, is_weak) = match value.strip_prefix("W/") {
        Some(tag) => (tag, true),
        None => (value, false),
    };
    let opaque = tag
        .strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .filter(|opaque| !opaque.contains('"'))
        .ok_or(ONE_TAG)?;
    // A weak one is never the same as another (RFC 9110 8.8.3.2).
    let opaque = if is_weak { "" } else { opaque };
    Ok(IfMatch::Seen(opaque.to_owned()))
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        Self::of(&parts.headers)
            .map_err(|message| Problem::new(Kind::InvalidParameter).field("If-Match", message))
    }
}

/// As the document has it.
#[derive(JsonSchema)]
#[schemars(inline, extend("pattern" = r#"^(\*|(W/)?"[!#-~]*")$"#))]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Tag(String);

impl OperationInput for IfMatch {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let description = "The `ETag` of what the change is based on, or `*`: where it has become \
                           another one, nothing changes.";
        documented::<Tag>(context, operation, "If-Match", description);
        may_end_in(operation, &[Kind::PreconditionFailed]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Result<IfMatch, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, HeaderValue::from_str(value).unwrap());
        }
        IfMatch::of(&headers)
    }

    #[test]
    fn a_tag_says_what_was_seen() {
        for (value, sequence, revision) in [
            ("\"7\"", Some(7), Some(7)),
            ("\"7-5f3a\"", Some(NEVER), Some(7)),
            ("*", None, None),
            // What nobody has given out is like nothing that there is.
            ("\"\"", Some(NEVER), Some(u32::MAX)),
            ("\"-7\"", Some(NEVER), Some(u32::MAX)),
            ("\"+7\"", Some(NEVER), Some(u32::MAX)),
            ("\"seven\"", Some(NEVER), Some(u32::MAX)),
            ("W/\"7\"", Some(NEVER), Some(u32::MAX)),
        ] {
            let tag = of(&[value]).unwrap();
            assert_eq!(
                (tag.sequence(), tag.revision()),
                (sequence, revision),
                "{value}"
            );
        }
        assert_eq!(of(&[]), Ok(IfMatch::Absent));
    }

    #[test]
    fn what_is_no_single_tag_is_refused() {
        for values in [
            &["7"][..],
            &["\"7"],
            &["\"7\", \"8\""],
            &["\"7\"", "\"8\""],
            &[""],
        ] {
            assert!(of(values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn an_edit_that_must_say_what_it_is_based_on_is_told_so() {
        assert!(IfMatch::Absent.required().is_err());
        assert!(IfMatch::Any.required().is_ok());
    }
}
