//! An event as it stands in the log, the same on every leg of its way: store, broker, replica, stream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::upcast::{self, StoredEvent};
use crate::{Private, tagged};

/// An event's place in the whole log: 1, 2, 3 … dense, in commit order. 0 is "before the first".
pub type Position = i64;

/// An event as stored. `payload` and `metadata` are the stored bytes, untouched.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// Place in the whole log: 1, 2, 3 …
    pub position: Position,
    /// Which kind of stream, such as `conversation`.
    pub aggregate_type: String,
    /// Which stream of that kind.
    pub aggregate_id: Uuid,
    /// Place in its stream: 1, 2, 3 …
    pub sequence: i64,
    /// Stored name of the event, for ever.
    pub event_type: String,
    /// Version of the payload's shape.
    pub event_version: String,
    /// The event's fields.
    #[schemars(with = "upcast::Payload")]
    pub payload: Box<RawValue>,
    /// Who, why, when: a [`Metadata`].
    #[schemars(with = "upcast::Payload")]
    pub metadata: Box<RawValue>,
    /// When the log took it; never decreases along positions.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub recorded_at: OffsetDateTime,
}

/// Where an event stands in the log, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Place in the whole log.
    pub position: Position,
    /// Place in its stream.
    pub sequence: i64,
    /// When the log took it.
    pub recorded_at: OffsetDateTime,
}

/// A stored event that this build cannot read.
#[derive(Debug, thiserror::Error)]
#[error("event {position} ({event_type} version {event_version}) cannot be read by this build")]
pub struct Undecodable {
    /// Where it stands.
    pub position: Position,
    /// Its stored name.
    pub event_type: String,
    /// Its stored version.
    pub event_version: String,
    /// What the decoder found.
    #[source]
    pub source: serde_json::Error,
}

impl Recorded {
    /// The typed event.
    ///
    /// # Errors
    /// [`Undecodable`] when this build does not know the event's type, version or shape.
    pub fn event<E: StoredEvent>(&self) -> Result<E, Undecodable> {
        decode(&self.event_type, &self.event_version, self.payload.get())
            .map_err(|source| self.undecodable(source))
    }

    /// Who, why and when.
    ///
    /// # Errors
    /// [`Undecodable`] when the metadata is not of the known shape.
    pub fn metadata(&self) -> Result<Metadata, Undecodable> {
        serde_json::from_str(self.metadata.get()).map_err(|source| self.undecodable(source))
    }

    /// Where it stands, and since when.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            position: self.position,
            sequence: self.sequence,
            recorded_at: self.recorded_at,
        }
    }

    fn undecodable(&self, source: serde_json::Error) -> Undecodable {
        Undecodable {
            position: self.position,
            event_type: self.event_type.clone(),
            event_version: self.event_version.clone(),
            source,
        }
    }
}

/// The version every event is stored with until it needs a second one ([`upcast::newest`]).
pub const VERSION_1: &str = "1";

/// Reads a stored payload as the event `event_type` of the event enum `E`; an older shape of it is
/// lifted first.
///
/// The stored payload is the event's fields alone; its name is the column `event_type`.
///
/// # Errors
/// When `E` has no such event, or the version or the fields are not those this build knows.
pub fn decode<E: StoredEvent>(
    event_type: &str,
    event_version: &str,
    payload: &str,
) -> Result<E, serde_json::Error> {
    if upcast::is_older::<E>(event_type, event_version) {
        return decode_value(event_type, event_version, serde_json::from_str(payload)?);
    }
    upcast::is_newest::<E>(event_type, event_version)?;
    let mut json = serde_json::Deserializer::from_str(payload);
    let event = tagged::read(event_type, &mut json)?;
    json.end()?;
    Ok(event)
}

/// [`decode`] for a payload that has been parsed already.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_value<E: StoredEvent>(
    event_type: &str,
    event_version: &str,
    mut payload: serde_json::Value,
) -> Result<E, serde_json::Error> {
    let event_type = upcast::lift::<E>(event_type, event_version, &mut payload)?;
    tagged::read(event_type, payload)
}

/// Takes an event apart into what is stored: the fields without the tag.
///
/// # Errors
/// When the event does not serialize to `{type, data}`; a bug in the event's definition.
pub fn encode<E: Serialize>(event: &E) -> Result<serde_json::Value, serde_json::Error> {
    #[derive(Deserialize)]
    struct Tagged {
        data: serde_json::Value,
    }
    let tagged: Tagged = serde_json::from_value(serde_json::to_value(event)?)?;
    Ok(tagged.data)
}

/// Who did it: a person in a role, or a part of Fido.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The account that acted; none for Fido itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Uuid>,
    /// `user`, `analyst`, `auditor`, `admin`, or `system:<part>`.
    pub role: String,
}

impl Actor {
    /// A signed-in person acting for themselves.
    pub fn user(account: Uuid) -> Self {
        Self {
            account: Some(account),
            role: "user".to_owned(),
        }
    }

    /// A part of Fido, such as `copilot`.
    pub fn system(part: &str) -> Self {
        Self {
            account: None,
            role: format!("system:{part}"),
        }
    }
}

/// Who, why and when of one event. Additive: new fields are optional.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// Who acted.
    pub actor: Actor,
    /// Whose data the event is: the account that may see it and have it erased.
    pub subject: Uuid,
    /// The command that led to it; one command's events share it.
    pub command_id: Uuid,
    /// The request at the root of the whole chain of commands and events.
    pub correlation_id: Uuid,
    /// The position of the event that led to the command; none when a request did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Position>,
    /// The HTTP request, as in `X-Request-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Where the request came from, as an IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Private<String>>,
    /// What the device said it was, as in `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Private<String>>,
    /// When the command was issued (`recorded_at` is when the log took it).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub issued_at: OffsetDateTime,
    /// For model output: the model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// For model output: the provider that ran the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// For model output: keyed hash of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_hash: Option<String>,
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{OffsetDateTime, Stamp};

    /// Where the `n`th event of a stream stands that has the log to itself, an event a minute.
    pub(crate) fn stamp(n: i64) -> Stamp {
        Stamp {
            position: n,
            sequence: n,
            recorded_at: OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::DomainEvent;
    use uuid::Uuid;

    use super::*;
    use crate::conversation::ConversationEvent;

    fn requested() -> ConversationEvent {
        ConversationEvent::ReplyStarted {
            reply_id: Uuid::nil(),
            attempt: 2,
        }
    }

    #[test]
    fn what_is_stored_reads_back_as_the_same_event() {
        let event = requested();
        let payload = encode(&event).unwrap().to_string();
        let read: ConversationEvent =
            decode(&event.event_type(), &event.event_version(), &payload).unwrap();
        assert_eq!(read, event);
        assert!(
            !payload.contains("reply_started"),
            "the name stands in its column: {payload}"
        );
    }

    #[test]
    fn an_unknown_version_is_not_guessed_at() {
        let payload = encode(&requested()).unwrap().to_string();
        let read = decode::<ConversationEvent>("reply_started", "2", &payload);
        assert!(read.is_err());
    }
}
