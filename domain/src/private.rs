//! Marks content that belongs to a person. Where it is stored it is sealed; only whoever holds the
//! key of its stream can open it, and once that key is gone nobody can.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The member of a JSON schema that tells a private field from others.
pub const PRIVATE: &str = "x-private";
/// What is shown in place of content whose key was destroyed.
pub const ERASED: &str = "[erased]";
/// What is shown in place of content where nobody has opened it.
pub const SEALED: &str = "[sealed]";

/// Personal content: free text, names, addresses.
///
/// As JSON it is an object with one member that says in which form it is, so that no form can be
/// taken for another whatever the content says: `{"open": …}` in the memory of a process and on the
/// way to a model, `{"sealed": "…"}` in every event, message and row, `{"erased": true}` when it was
/// asked for after its key was destroyed. `Debug` hides the content, so that no log line and no
/// error message can carry it by accident.
#[derive(Clone, PartialEq, Eq)]
pub enum Private<T> {
    /// Readable.
    Open(T),
    /// Encrypted; [`Sealed`] says how.
    Sealed(Sealed),
    /// Gone for good.
    Erased,
}

/// Encrypted content with what its reader must know: the form's version, the field it was written
/// to, and the ciphertext, as text: `1:message_posted.text:<base64>`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// What was read from where it is stored; whether it can be opened the key says.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl<T> Private<T> {
    /// Declares `content` private.
    pub fn new(content: T) -> Self {
        Self::Open(content)
    }

    /// The sealed content that a store has kept.
    pub fn stored(sealed: impl Into<String>) -> Self {
        Self::Sealed(Sealed::stored(sealed))
    }

    /// The content, for its owner or a co-pilot that works for its owner; none while it is sealed
    /// or after it was erased.
    pub fn reveal(&self) -> Option<&T> {
        match self {
            Self::Open(content) => Some(content),
            Self::Sealed(_) | Self::Erased => None,
        }
    }

    /// The sealed form, for whoever stores it without being able to read it.
    pub fn sealed(&self) -> Option<&Sealed> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::Open(_) | Self::Erased => None,
        }
    }
}

impl<T: AsRef<str>> Private<T> {
    /// The text, or what stands in its place where it cannot be read.
    pub fn shown(&self) -> &str {
        match self {
            Self::Open(text) => text.as_ref(),
            Self::Sealed(_) => SEALED,
            Self::Erased => ERASED,
        }
    }

    /// The same content as plain text, in the form in which it is.
    pub fn to_text(&self) -> Private<String> {
        match self {
            Self::Open(text) => Private::Open(text.as_ref().to_owned()),
            Self::Sealed(sealed) => Private::Sealed(sealed.clone()),
            Self::Erased => Private::Erased,
        }
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}

impl<T> From<T> for Private<T> {
    fn from(content: T) -> Self {
        Self::new(content)
    }
}

/// The JSON of each form.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Form<T> {
    Open(T),
    Sealed(Sealed),
    Erased(bool),
}

impl<T: Serialize> Serialize for Private<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open(content) => Form::Open(content),
            Self::Sealed(sealed) => Form::Sealed(sealed.clone()),
            Self::Erased => Form::Erased(true),
        }
        .serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Private<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Open(content) => Ok(Self::Open(content)),
            Form::Sealed(sealed) => Ok(Self::Sealed(sealed)),
            Form::Erased(true) => Ok(Self::Erased),
            Form::Erased(false) => Err(D::Error::custom("what is not erased is open or sealed")),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Private<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Private_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Form::<T>::json_schema(generator);
        schema.insert(PRIVATE.to_owned(), true.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_never_shows_the_content() {
        let name = Private::new("Ada Lovelace".to_owned());
        assert_eq!(format!("{name:?}"), "Private(…)");
        let name = Private::<String>::stored("1:a.b:c");
        assert_eq!(format!("{name:?}"), "Private(…)");
    }

    #[test]
    fn each_form_reads_back_as_itself() {
        for (form, written) in [
            (Private::new("x".to_owned()), json!({"open": "x"})),
            (Private::stored("1:a.b:c"), json!({"sealed": "1:a.b:c"})),
            (Private::Erased, json!({"erased": true})),
        ] {
            assert_eq!(serde_json::to_value(&form).unwrap(), written);
            let read: Private<String> = serde_json::from_value(written).unwrap();
            assert_eq!(read, form);
        }
    }

    #[test]
    fn content_that_looks_like_another_form_stays_content() {
        let sly = Private::new(r#"{"erased": true}"#.to_owned());
        let read: Private<String> =
            serde_json::from_value(serde_json::to_value(&sly).unwrap()).unwrap();
        assert_eq!(read, sly);
        for wrong in [
            json!("x"),
            json!({"erased": false}),
            json!({"open": "x", "sealed": "y"}),
        ] {
            assert!(serde_json::from_value::<Private<String>>(wrong).is_err());
        }
    }
}
