//! Sealing and opening the private fields of JSON: pure, and blind to what the fields mean.
//!
//! A [`fido_domain::Private`] field stands in JSON as an object with one member, `open`, `sealed` or
//! `erased`. Sealed content is text of three parts, `1:<path>:<base64>`: the version of the form, the
//! field it was written to (`message_posted.text`), and nonce and ciphertext of the content's JSON.
//! Kind and id of the stream and the path are authenticated with it, so that content that was moved
//! to another stream or field does not open.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use fido_domain::Sealed;
use fido_domain::private::ERASED;
use serde_json::{Map, Value};

use super::StreamId;
use crate::secrets::{Key, NotOpened};

/// The only version of the form so far: XChaCha20-Poly1305.
const VERSION: &str = "1";
/// Integers that every JSON reader keeps exactly (RFC 8785, RFC 7493 2.2).
const EXACT: i64 = 1 << 53;

/// What may not be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unstorable {
    /// A number beyond ±2^53 or with a fraction: other readers would round it.
    #[error("{0} is a number that must be written as decimal text")]
    Number(String),
    /// U+0000, which PostgreSQL cannot look into.
    #[error("{0} contains the NUL character (U+0000)")]
    Nul(String),
    /// Personal content where no key is at hand.
    #[error("{0} is private and there is no key to seal it with")]
    NoKey(String),
}

/// How opened fields are to stand in the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// `{"open": …}` or `{"erased": true}`, for reading it as an event.
    Private,
    /// The content alone, or `[erased]`, for showing it to its owner.
    Shown,
}

/// Whether anything in `value` is private and open.
pub(crate) fn has_open(value: &Value) -> bool {
    match value {
        Value::Object(object) => only(object, "open").is_some() || object.values().any(has_open),
        Value::Array(array) => array.iter().any(has_open),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Seals every private field in `value`, which stands at `path`, and refuses what cannot be stored
/// exactly.
pub(crate) fn seal(
    value: &mut Value,
    path: &str,
    stream: &StreamId,
    key: Option<&Key>,
) -> Result<(), Unstorable> {
    match value {
        Value::Object(object) => {
            if let Some(content) = only(object, "open") {
                let key = key.ok_or_else(|| Unstorable::NoKey(path.to_owned()))?;
                let sealed = seal_one(content, path, stream, key);
                *object = Map::from_iter([("sealed".to_owned(), sealed.as_str().into())]);
                return Ok(());
            }
            for (name, value) in object {
                seal(value, &format!("{path}.{name}"), stream, key)?;
            }
            Ok(())
        }
        Value::Array(array) => array
            .iter_mut()
            .enumerate()
            .try_for_each(|(n, value)| seal(value, &format!("{path}.{n}"), stream, key)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if (-EXACT..=EXACT).contains(&integer) => Ok(()),
            _ => Err(Unstorable::Number(path.to_owned())),
        },
        Value::String(text) if text.contains('\0') => Err(Unstorable::Nul(path.to_owned())),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// Seals one piece of content.
pub(crate) fn seal_one(content: &Value, path: &str, stream: &StreamId, key: &Key) -> Sealed {
    let id = stream.id.to_string();
    let context = [stream.aggregate_type.as_ref(), &id, path];
    let encrypted = key.encrypt(&context, content.to_string().as_bytes());
    Sealed::stored(format!(
        "{VERSION}:{path}:{}",
        STANDARD_NO_PAD.encode(encrypted)
    ))
}

/// Opens every sealed field in `value`, which stands at `path`. Without a key they are erased.
pub(crate) fn open(
    value: &mut Value,
    path: &str,
    stream: &StreamId,
    key: Option<&Key>,
    form: As,
) -> Result<(), NotOpened> {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(sealed)) = only(object, "sealed") {
                let sealed = Sealed::stored(sealed.as_str());
                if written_to(&sealed) != Some(path) {
                    return Err(NotOpened);
                }
                let content = key.map(|key| open_one(&sealed, stream, key)).transpose()?;
                *value = match (form, content) {
                    (As::Private, Some(content)) => serde_json::json!({"open": content}),
                    (As::Private, None) => serde_json::json!({"erased": true}),
                    (As::Shown, Some(content)) => content,
                    (As::Shown, None) => ERASED.into(),
                };
                return Ok(());
            }
            object.iter_mut().try_for_each(|(name, value)| {
                open(value, &format!("{path}.{name}"), stream, key, form)
            })
        }
        Value::Array(array) => array
            .iter_mut()
            .enumerate()
            .try_for_each(|(n, value)| open(value, &format!("{path}.{n}"), stream, key, form)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Opens one piece of content, wherever it was found.
pub(crate) fn open_one(sealed: &Sealed, stream: &StreamId, key: &Key) -> Result<Value, NotOpened> {
    let (path, encoded) = parts(sealed).ok_or(NotOpened)?;
    let encrypted = STANDARD_NO_PAD.decode(encoded).map_err(|_| NotOpened)?;
    let id = stream.id.to_string();
    let content = key.decrypt(&[stream.aggregate_type.as_ref(), &id, path], &encrypted)?;
    serde_json::from_slice(&content).map_err(|_| NotOpened)
}

fn written_to(sealed: &Sealed) -> Option<&str> {
    parts(sealed).map(|(path, _)| path)
}

fn parts(sealed: &Sealed) -> Option<(&str, &str)> {
    let (version, rest) = sealed.as_str().split_once(':')?;
    (version == VERSION).then(|| rest.split_once(':'))?
}

/// The member `name` of an object that has no other.
fn only<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    (object.len() == 1).then(|| object.get(name)).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn stream(n: u128) -> StreamId {
        StreamId::new("conversation", Uuid::from_u128(n))
    }

    fn sealed(value: &Value, key: &Key) -> Value {
        let mut value = value.clone();
        seal(&mut value, "message_posted", &stream(1), Some(key)).unwrap();
        value
    }

    #[test]
    fn what_is_sealed_opens_again_and_shows_nothing_until_then() {
        let key = Key::generate();
        let event = json!({"text": {"open": "a secret"}, "list": [{"open": {"deep": 1}}], "n": 3});
        let stored = sealed(&event, &key);
        assert!(!stored.to_string().contains("secret") && !stored.to_string().contains("deep"));
        assert!(has_open(&event) && !has_open(&stored));
        let mut read = stored.clone();
        open(
            &mut read,
            "message_posted",
            &stream(1),
            Some(&key),
            As::Private,
        )
        .unwrap();
        assert_eq!(read, event);
        let mut shown = stored;
        open(
            &mut shown,
            "message_posted",
            &stream(1),
            Some(&key),
            As::Shown,
        )
        .unwrap();
        assert_eq!(
            shown,
            json!({"text": "a secret", "list": [{"deep": 1}], "n": 3})
        );
    }

    #[test]
    fn without_the_key_content_is_erased() {
        let mut stored = sealed(&json!({"text": {"open": "x"}}), &Key::generate());
        let mut shown = stored.clone();
        open(&mut stored, "message_posted", &stream(1), None, As::Private).unwrap();
        assert_eq!(stored, json!({"text": {"erased": true}}));
        open(&mut shown, "message_posted", &stream(1), None, As::Shown).unwrap();
        assert_eq!(shown, json!({"text": "[erased]"}));
    }

    #[test]
    fn content_moved_to_another_stream_field_or_event_does_not_open() {
        let key = Key::generate();
        let stored = sealed(&json!({"text": {"open": "x"}}), &key);
        let opens = |value: &Value, path: &str, n: u128| {
            open(
                &mut value.clone(),
                path,
                &stream(n),
                Some(&key),
                As::Private,
            )
            .is_ok()
        };
        assert!(opens(&stored, "message_posted", 1));
        assert!(!opens(&stored, "message_posted", 2));
        assert!(!opens(&stored, "reply_completed", 1));
        assert!(!opens(
            &json!({"goal": stored["text"]}),
            "message_posted",
            1
        ));
        let forged = stored["text"]["sealed"]
            .as_str()
            .unwrap()
            .replace(".text:", ".goal:");
        assert!(!opens(
            &json!({"goal": {"sealed": forged}}),
            "message_posted",
            1
        ));
        for nonsense in [
            "",
            "1",
            "1:message_posted.text",
            "2:message_posted.text:AAAA",
            "1:message_posted.text:!",
        ] {
            assert!(
                !opens(&json!({"text": {"sealed": nonsense}}), "message_posted", 1),
                "{nonsense}"
            );
        }
    }

    #[test]
    fn what_others_would_read_differently_is_not_stored() {
        let key = Key::generate();
        let store = |value: Value| seal(&mut value.clone(), "e", &stream(1), Some(&key));
        assert_eq!(store(json!({"n": EXACT, "m": -EXACT})), Ok(()));
        assert_eq!(
            store(json!({"n": EXACT + 1})),
            Err(Unstorable::Number("e.n".into()))
        );
        assert_eq!(store(json!([1.5])), Err(Unstorable::Number("e.0".into())));
        assert_eq!(
            store(json!({"a": {"b": "x\0"}})),
            Err(Unstorable::Nul("e.a.b".into()))
        );
        let mut private = json!({"text": {"open": "x"}});
        let without = seal(&mut private, "e", &stream(1), None);
        assert_eq!(without, Err(Unstorable::NoKey("e.text".into())));
    }
}
