//! Everything that an event stream can say, as server-sent events.

use std::time::Duration;

use axum::response::sse::Event;
use fido_domain::{Position, Recorded};
use fido_nats::live::LiveEvent;
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use super::rooms::Farewell;

/// When a client that was sent away is to come back.
const RETRY: Duration = Duration::from_secs(1);

/// A frame; writing one down does not fail in practice, and ends the stream if it does.
pub(super) type Frame = Result<Event, axum::Error>;

/// Why a client has to read afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResetReason {
    /// More has happened than is worth sending one by one.
    TooFarBehind,
    /// It has seen what the log does not hold.
    Ahead,
    /// It has seen what the log has lost.
    LostRange,
}

/// The first frame: what happens after `position` will be told.
pub(super) fn hello(position: Position) -> Frame {
    #[derive(Serialize)]
    struct Hello {
        position: Position,
    }
    Event::default()
        .event("hello")
        .json_data(Hello { position })
}

/// Forget what you know and read it again, at `position` or later.
pub(super) fn reset(reason: ResetReason, position: Position) -> Frame {
    #[derive(Serialize)]
    struct Reset {
        reason: ResetReason,
        position: Position,
    }
    let reset = Reset { reason, position };
    Event::default().event("reset").json_data(reset)
}

/// The last frame.
pub(super) fn goodbye(reason: Farewell) -> Frame {
    #[derive(Serialize)]
    struct Goodbye {
        reason: Farewell,
    }
    let goodbye = Event::default().event("goodbye").retry(RETRY);
    goodbye.json_data(Goodbye { reason })
}

/// An event of the log, with `payload` as it may be shown; its position is the frame's id.
pub(super) fn recorded(event: &Recorded, payload: &RawValue) -> Frame {
    #[derive(Serialize)]
    struct Shown<'a> {
        position: Position,
        aggregate_type: &'a str,
        aggregate_id: Uuid,
        sequence: i64,
        event_type: &'a str,
        #[serde(with = "time::serde::rfc3339")]
        recorded_at: OffsetDateTime,
        payload: &'a RawValue,
    }
    Event::default()
        .event(format!("{}.{}", event.aggregate_type, event.event_type))
        .id(event.position.to_string())
        .json_data(Shown {
            position: event.position,
            aggregate_type: &event.aggregate_type,
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
            event_type: &event.event_type,
            recorded_at: event.recorded_at,
            payload,
        })
}

/// Something about a reply that is being written; without an id, as it cannot be resumed from.
pub(super) fn live(event: &LiveEvent) -> Frame {
    #[derive(Serialize)]
    struct Shown<'a> {
        conversation_id: Uuid,
        reply_id: Uuid,
        attempt: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        n: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
    }
    let (name, shown) = match event {
        LiveEvent::Delta {
            conversation_id,
            reply_id,
            attempt,
            n,
            text,
        } => (
            "reply.delta",
            Shown {
                conversation_id: *conversation_id,
                reply_id: *reply_id,
                attempt: *attempt,
                n: Some(*n),
                text: Some(text.shown()),
            },
        ),
        LiveEvent::Restarted {
            conversation_id,
            reply_id,
            attempt,
        } => (
            "reply.restarted",
            Shown {
                conversation_id: *conversation_id,
                reply_id: *reply_id,
                attempt: *attempt,
                n: None,
                text: None,
            },
        ),
    };
    Event::default().event(name).json_data(shown)
}

#[cfg(test)]
mod tests;
