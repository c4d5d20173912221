//! A field of a change to something: left out it stays, `null` takes it away, a value replaces it.

use std::borrow::Cow;

use fido_commands::change::Change;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// What is to become of a field; to be marked `#[serde(default)]`.
#[derive(Debug)]
pub(crate) struct Edit<T>(pub(crate) Change<T>);

impl<T> Default for Edit<T> {
    fn default() -> Self {
        Self(Change::Keep)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(Self(value.map_or(Change::Clear, Change::To)))
    }
}

impl<T: JsonSchema> JsonSchema for Edit<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Edit_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

/// Reads a field that may be left out, but not taken away: `#[serde(default, deserialize_with = "given")]`.
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        field: Edit<u8>,
        #[serde(default, deserialize_with = "given")]
        name: Option<u8>,
    }

    #[test]
    fn what_is_left_out_is_not_what_is_null() {
        let read = |text| serde_json::from_str::<Body>(text);
        assert_eq!(read("{}").unwrap().field.0, Change::Keep);
        assert_eq!(read(r#"{"field": null}"#).unwrap().field.0, Change::Clear);
        assert_eq!(read(r#"{"field": 7}"#).unwrap().field.0, Change::To(7));
        assert!(read(r#"{"field": "x"}"#).is_err());
        assert_eq!(read("{}").unwrap().name, None);
        assert_eq!(read(r#"{"name": 7}"#).unwrap().name, Some(7));
        assert!(read(r#"{"name": null}"#).is_err());
    }
}
