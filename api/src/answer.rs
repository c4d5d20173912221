//! What answers are made of: the position they belong to, and pages of lists.

mod reply;

use std::borrow::Cow;
use std::convert::Infallible;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use fido_commands::Committed;
use fido_domain::{Position, Private};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use crate::Answer;
use crate::cursor::Cursor;
use crate::problem::{Kind, Problem};

pub(crate) use reply::{Accepted, Created, Found, NoContent, Reply};

/// `Fido-Position`: what a query saw.
pub(crate) struct At(pub(crate) Position);

/// `Fido-Position`: what a command was recorded at; and `Idempotent-Replayed` when that was before.
pub(crate) struct Done {
    position: Position,
    replayed: bool,
}

impl Done {
    /// What `committed` was recorded at.
    pub(crate) fn of<E>(committed: &Committed<E>) -> Self {
        Self {
            position: committed.position,
            replayed: committed.replayed,
        }
    }
}

impl IntoResponseParts for Done {
    type Error = Infallible;

    fn into_response_parts(self, response: ResponseParts) -> Result<ResponseParts, Infallible> {
        let mut response = At(self.position).into_response_parts(response)?;
        if self.replayed {
            response.headers_mut().insert(
                HeaderName::from_static("idempotent-replayed"),
                HeaderValue::from_static("true"),
            );
        }
        Ok(response)
    }
}

impl IntoResponseParts for At {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        response.headers_mut().insert(
            HeaderName::from_static("fido-position"),
            HeaderValue::from(self.0),
        );
        Ok(response)
    }
}

/// Personal content for the person whose it is: the text, or what stands in place of an erased one.
#[derive(Debug)]
pub(crate) struct Shown(Private<String>);

impl<T: AsRef<str>> From<&Private<T>> for Shown {
    fn from(content: &Private<T>) -> Self {
        Self(content.shown().to_owned().into())
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.shown().serialize(serializer)
    }
}

impl JsonSchema for Shown {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Shown".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// How many items a page may have: 1 to 100, 50 unless told otherwise.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct Limit(i64);

impl Limit {
    /// How many rows to ask for: one more than are shown tells whether there is another page.
    pub(crate) fn rows(self) -> i64 {
        self.0 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<i64> for Limit {
    type Error = &'static str;

    fn try_from(limit: i64) -> Result<Self, Self::Error> {
        if (1..=100).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err("must be from 1 to 100")
        }
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": 100, "default": 50,
            "description": "How many items the page may have.",
        })
    }
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub(crate) struct Page<T> {
    /// In the order of the list.
    items: Vec<T>,
    /// The `cursor` of the next page; none on the last one.
    next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is short enough to be shown whole.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// The first `limit` of `rows`; `key` says where the next page begins.
    pub(crate) fn of<R, K: Serialize>(
        mut rows: Vec<R>,
        limit: Limit,
        key: impl Fn(&R) -> K,
    ) -> Answer<Self>
    where
        T: From<R>,
    {
        let shown = usize::try_from(limit.0).unwrap_or(usize::MAX);
        let more = rows.len() > shown;
        rows.truncate(shown);
        let next = match rows.last() {
            Some(last) if more => Some(
                Cursor(key(last))
                    .encode()
                    .map_err(|error| Problem::new(Kind::Internal).because(error))?,
            ),
            _ => None,
        };
        Ok(Self {
            items: rows.into_iter().map(T::from).collect(),
            next,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: i64, limit: i64) -> Page<i64> {
        let limit = Limit::try_from(limit).unwrap();
        let rows = (1..=rows).take(usize::try_from(limit.rows()).unwrap());
        Page::of(rows.collect(), limit, |row| *row).unwrap()
    }

    #[test]
    fn a_page_that_is_not_the_last_says_where_the_next_begins() {
        let first = page(3, 2);
        assert_eq!(first.items, [1, 2]);
        assert_eq!(first.next, Some(Cursor(2).encode().unwrap()));
    }

    #[test]
    fn the_last_page_has_no_next() {
        assert_eq!(page(2, 2).next, None);
        assert_eq!(page(0, 2).next, None);
    }

    #[test]
    fn a_limit_is_from_1_to_100() {
        assert!(Limit::try_from(0).is_err());
        assert!(Limit::try_from(1).is_ok());
        assert!(Limit::try_from(100).is_ok());
        assert!(Limit::try_from(101).is_err());
    }
}
