//! What the co-pilots know about the business: facts, each under a key.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Imprint, Source};
use crate::Private;
use crate::text::{Line, Text, TextError};

/// What is so, in the words of whoever says it.
pub type FactValue = Text<2_000>;

/// What a fact is about: a snake-case name of 1 to 64 characters such as `monthly_rent`.
///
/// It is not private and must not be made of what a person typed: it comes from a list, or a
/// co-pilot coins it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("maxLength" = 64))]
pub struct FactKey(String);

impl FactKey {
    /// Accepts words of `a` to `z` and `0` to `9`, joined by single underscores, the first of which
    /// begins with a letter.
    ///
    /// # Errors
    /// [`TextError`] says what is wrong with it.
    pub fn parse(key: impl Into<String>) -> Result<Self, TextError> {
        let key = String::from(Line::<64>::parse(key)?);
        let snake_case = key.starts_with(|first: char| first.is_ascii_lowercase())
            && key.split('_').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if snake_case {
            Ok(Self(key))
        } else {
            Err(TextError::NotSnakeCase)
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FactKey {
    type Error = TextError;

    fn try_from(key: String) -> Result<Self, TextError> {
        Self::parse(key)
    }
}

impl From<FactKey> for String {
    fn from(key: FactKey) -> Self {
        key.0
    }
}

/// What decisions know of a fact.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FactState {
    /// Who says so.
    pub source: Source,
    /// Tells whether the same is said again.
    pub value: Imprint,
}

/// A fact, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactDocument {
    /// What is so.
    pub value: Private<String>,
    /// Who says so.
    pub source: Source,
    /// The conversation in which it came up.
    pub conversation_id: Option<Uuid>,
    /// Since when it is known like this.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_snake_case_names() {
        for key in ["a", "monthly_rent", "year_2_revenue", &"k".repeat(64)] {
            assert_eq!(
                FactKey::parse(key).map(String::from),
                Ok(key.to_owned()),
                "{key}"
            );
        }
        for wrong in ["Rent", "2nd", "_a", "a_", "a__b", "a-b", "a b", "mieté"] {
            assert_eq!(
                FactKey::parse(wrong),
                Err(TextError::NotSnakeCase),
                "{wrong}"
            );
        }
        assert_eq!(FactKey::parse(""), Err(TextError::Empty));
        assert_eq!(
            FactKey::parse("k".repeat(65)),
            Err(TextError::TooLong { max: 64, found: 65 })
        );
    }

    #[test]
    fn a_key_is_parsed_wherever_it_is_read() {
        assert!(serde_json::from_str::<FactKey>(r#""monthly_rent""#).is_ok());
        assert!(serde_json::from_str::<FactKey>(r#""Monthly rent""#).is_err());
    }
}
