//! One word that people do not read but systems compare: names of models, of versions, of providers.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Why a text is no such word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// None, or more characters than allowed.
    #[error("must have 1 to {max} characters")]
    Length {
        /// The limit.
        max: usize,
    },
    /// Something else than the few characters that a word is made of.
    #[error("must be made of letters, digits and . _ : / - only")]
    Character,
}

/// A word of 1 to `MAX` ASCII letters, digits and `. _ : / -`, as it was given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Word<const MAX: usize>(String);

impl<const MAX: usize> Word<MAX> {
    /// Accepts a word.
    ///
    /// # Errors
    /// [`WordError`] says what it is not.
    pub fn parse(word: impl Into<String>) -> Result<Self, WordError> {
        let word = word.into();
        if !(1..=MAX).contains(&word.len()) {
            return Err(WordError::Length { max: MAX });
        }
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
        if word.bytes().all(belongs) {
            Ok(Self(word))
        } else {
            Err(WordError::Character)
        }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> AsRef<str> for Word<MAX> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const MAX: usize> TryFrom<String> for Word<MAX> {
    type Error = WordError;

    fn try_from(word: String) -> Result<Self, WordError> {
        Self::parse(word)
    }
}

impl<const MAX: usize> From<Word<MAX>> for String {
    fn from(word: Word<MAX>) -> Self {
        word.0
    }
}

impl<const MAX: usize> JsonSchema for Word<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Word_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": MAX,
            "pattern": "^[A-Za-z0-9._:/-]+$",
        })
    }
}

impl<const MAX: usize> fmt::Debug for Word<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Display for Word<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_short_and_plain() {
        for word in ["a", "2026-01", "org/model:v1.5", "privacy_policy"] {
            assert_eq!(Word::<20>::parse(word).map(String::from), Ok(word.into()));
        }
        assert_eq!(Word::<4>::parse(""), Err(WordError::Length { max: 4 }));
        assert_eq!(Word::<4>::parse("abcde"), Err(WordError::Length { max: 4 }));
        for wrong in ["a b", "a,b", "ä", "a\0", "a\n"] {
            assert_eq!(Word::<20>::parse(wrong), Err(WordError::Character));
        }
    }
}
