//! Text that people type, parsed once at the edge: a value that exists is storable and of bounded length.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Unicode's white space, as the inside of a character class. Spelt out, as `\s` is something else in
/// each dialect of regular expressions.
const BLANK: &str = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// Control characters, in the same way.
const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f";

/// Why a text was not accepted. The message is meant for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than allowed.
    #[error("must have at most {max} characters, has {found}")]
    TooLong {
        /// The limit.
        max: usize,
        /// How many there are.
        found: usize,
    },
    /// U+0000, which no JSON store keeps.
    #[error("must not contain the NUL character (U+0000)")]
    Nul,
    /// A line break or another control character where one line is expected.
    #[error("must be one line without control characters")]
    Control,
    /// Not `name@domain`.
    #[error("must be an email address such as ada@example.com")]
    NotAnEmail,
    /// Not words of small letters and digits, joined by underscores.
    #[error("must be a snake-case name such as monthly_rent")]
    NotSnakeCase,
}

/// Text of 1 to `MAX` characters, stored as typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Accepts non-blank text of at most `MAX` characters without NUL.
    ///
    /// # Errors
    /// [`TextError`] says which of these it is not.
    pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        let found = text.chars().count();
        if found > MAX {
            return Err(TextError::TooLong { max: MAX, found });
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many characters (Unicode scalar values) it has.
    pub fn characters(&self) -> u32 {
        u32::try_from(self.0.chars().count()).unwrap_or(u32::MAX)
    }

    /// How many words it has: runs of characters between white space. In a script without spaces
    /// this counts runs, not words.
    pub fn words(&self) -> u32 {
        u32::try_from(self.0.split_whitespace().count()).unwrap_or(u32::MAX)
    }
}

impl<const MAX: usize> AsRef<str> for Text<MAX> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Text_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!(r"^[^\u0000]*[^\u0000{BLANK}][^\u0000]*$");
        json_schema!({"type": "string", "minLength": 1, "maxLength": MAX, "pattern": pattern})
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(…)")
    }
}

/// One line of 1 to `MAX` characters, trimmed: names and titles.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    /// Accepts one non-blank line of at most `MAX` characters without control characters.
    ///
    /// # Errors
    /// [`TextError`] says which of these it is not.
    pub fn parse(line: impl Into<String>) -> Result<Self, TextError> {
        let text = Text::<MAX>::parse(line)?;
        let line = text.as_str().trim();
        if line.chars().any(char::is_control) {
            return Err(TextError::Control);
        }
        Ok(Self(line.to_owned()))
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> AsRef<str> for Line<MAX> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const MAX: usize> TryFrom<String> for Line<MAX> {
    type Error = TextError;

    fn try_from(line: String) -> Result<Self, TextError> {
        Self::parse(line)
    }
}

impl<const MAX: usize> From<Line<MAX>> for String {
    fn from(line: Line<MAX>) -> Self {
        line.0
    }
}

impl<const MAX: usize> JsonSchema for Line<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Line_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let edge = format!("[^{CONTROL}{BLANK}]");
        let pattern = format!("^[{BLANK}]*{edge}([^{CONTROL}]*{edge})?[{BLANK}]*$");
        json_schema!({"type": "string", "minLength": 1, "maxLength": MAX, "pattern": pattern})
    }
}

impl<const MAX: usize> fmt::Debug for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line(…)")
    }
}

/// An email address: as typed for writing to it, and lower-cased for telling accounts apart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Accepts `name@domain` of at most 254 characters (the limit of an SMTP path, RFC 5321 4.5.3.1.3)
    /// without white space. Whether mail arrives there only a mail can tell.
    ///
    /// # Errors
    /// [`TextError`] says what is wrong with it.
    pub fn parse(address: impl Into<String>) -> Result<Self, TextError> {
        let line = Line::<254>::parse(address)?;
        let address = line.as_str();
        let well_formed = address.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty()
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
                && !address.contains(char::is_whitespace)
        });
        if well_formed {
            Ok(Self(address.to_owned()))
        } else {
            Err(TextError::NotAnEmail)
        }
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which it is unique: two addresses that differ in case are one account.
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

impl AsRef<str> for EmailAddress {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = TextError;

    fn try_from(address: String) -> Result<Self, TextError> {
        Self::parse(address)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl JsonSchema for EmailAddress {
    fn schema_name() -> Cow<'static, str> {
        "EmailAddress".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (name, label) = (
            format!("[^@{CONTROL}{BLANK}]+"),
            format!("[^@.{CONTROL}{BLANK}]+"),
        );
        let pattern = format!(r"^{name}@{label}(\.{label})*$");
        json_schema!({
            "type": "string", "minLength": 3, "maxLength": 254,
            "pattern": pattern,
        })
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_counts_characters_not_bytes() {
        assert_eq!(Text::<4>::parse("äöü€").map(|t| t.characters()), Ok(4));
        assert_eq!(
            Text::<3>::parse("äöü€"),
            Err(TextError::TooLong { max: 3, found: 4 })
        );
    }

    #[test]
    fn words_stand_between_white_space() {
        assert_eq!(
            Text::<99>::parse(" Bread, cakes\n\nand  coffee ").map(|t| t.words()),
            Ok(4)
        );
    }

    #[test]
    fn text_refuses_nul_and_blanks() {
        assert_eq!(Text::<9>::parse("a\0b"), Err(TextError::Nul));
        assert_eq!(Text::<9>::parse(" \n\t "), Err(TextError::Empty));
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(
            Line::<9>::parse(" Ada ").map(String::from),
            Ok("Ada".into())
        );
        assert_eq!(Line::<9>::parse("A\nda"), Err(TextError::Control));
    }

    #[test]
    fn emails_that_differ_in_case_are_the_same_account() {
        let one = EmailAddress::parse("Ada@Example.com").unwrap();
        let two = EmailAddress::parse("ada@example.COM").unwrap();
        assert_eq!(one.canonical(), two.canonical());
        assert_eq!(one.as_str(), "Ada@Example.com");
    }

    #[test]
    fn what_is_not_an_email_is_refused() {
        for wrong in ["ada", "@example.com", "ada@", "a b@c.d", "a@b@c", "a@b..c"] {
            assert_eq!(
                EmailAddress::parse(wrong),
                Err(TextError::NotAnEmail),
                "{wrong}"
            );
        }
    }
}
