//! Events and accounts for the tests of this folder.

use fido_domain::{Position, Recorded};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

/// The account of this number.
pub(super) fn account(number: i64) -> Uuid {
    Uuid::from_u128(u128::try_from(number).unwrap())
}

/// An event at `position`, in a stream of its own.
pub(super) fn event(position: Position) -> Recorded {
    Recorded {
        position,
        aggregate_type: "conversation".to_owned(),
        aggregate_id: account(position),
        sequence: 1,
        event_type: "message_posted".to_owned(),
        event_version: "1".to_owned(),
        payload: RawValue::from_string(r#"{"text":"hello"}"#.to_owned()).unwrap(),
        metadata: RawValue::from_string("{}".to_owned()).unwrap(),
        recorded_at: OffsetDateTime::UNIX_EPOCH,
    }
}
