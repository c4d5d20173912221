//! Where the next page of a list begins, as text that means nothing to a client.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};

/// The key of the last item of a page; in a URL it is base64url of the key's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor<K>(pub(crate) K);

impl<K: Serialize> Cursor<K> {
    /// The text that a client sends back for the next page.
    pub(crate) fn encode(&self) -> Result<String, serde_json::Error> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self.0)?))
    }
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Cursor<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Self)
            .ok_or_else(|| D::Error::custom("must be the `next` of a page of this list"))
    }
}

impl<K> JsonSchema for Cursor<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "The `next` of a page of this list." })
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    fn decode(text: &str) -> Result<Cursor<(i64, String)>, Error> {
        let text: StrDeserializer<'_, Error> = text.into_deserializer();
        Cursor::deserialize(text)
    }

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let cursor = Cursor((42, "a/b?".to_owned()));
        let text = cursor.encode().unwrap();
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        );
        assert_eq!(decode(&text).unwrap(), cursor);
    }

    #[test]
    fn garbage_is_no_cursor() {
        for garbage in ["", "!", "AAAA", "eyJhIjoxfQ", "WzEsMl0"] {
            assert!(decode(garbage).is_err(), "{garbage}");
        }
    }
}
