//! Frames, byte for byte, as browsers read them.

use axum::response::IntoResponse;
use axum::response::sse::Sse;
use http_body_util::BodyExt;

use super::super::testing::{account, event};
use super::*;
use fido_domain::Private;

async fn written(frame: Frame) -> String {
    let response = Sse::new(futures::stream::iter([frame])).into_response();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.into()).unwrap()
}

#[tokio::test]
async fn an_event_has_its_position_as_id() {
    assert_eq!(
        written(recorded(&event(7), &event(7).payload)).await,
        "event: conversation.message_posted\n\
         id: 7\n\
         data: {\"position\":7,\"aggregate_type\":\"conversation\",\
         \"aggregate_id\":\"00000000-0000-0000-0000-000000000007\",\"sequence\":1,\
         \"event_type\":\"message_posted\",\"recorded_at\":\"1970-01-01T00:00:00Z\",\
         \"payload\":{\"text\":\"hello\"}}\n\n"
    );
}

#[tokio::test]
async fn a_token_has_no_id_and_keeps_its_line_breaks() {
    let delta = LiveEvent::Delta {
        conversation_id: account(1),
        reply_id: account(2),
        attempt: 1,
        n: 3,
        text: Private::new("a\r\nb".to_owned()),
    };
    assert_eq!(
        written(live(&delta)).await,
        "event: reply.delta\n\
         data: {\"conversation_id\":\"00000000-0000-0000-0000-000000000001\",\
         \"reply_id\":\"00000000-0000-0000-0000-000000000002\",\"attempt\":1,\"n\":3,\
         \"text\":\"a\\r\\nb\"}\n\n"
    );
}

#[tokio::test]
async fn a_stream_begins_and_ends_with_manners() {
    assert_eq!(
        written(hello(41)).await,
        "event: hello\ndata: {\"position\":41}\n\n"
    );
    assert_eq!(
        written(reset(ResetReason::TooFarBehind, 41)).await,
        "event: reset\ndata: {\"reason\":\"too_far_behind\",\"position\":41}\n\n"
    );
    assert_eq!(
        written(goodbye(Farewell::Shutdown)).await,
        "event: goodbye\nretry: 1000\ndata: {\"reason\":\"shutdown\"}\n\n"
    );
}
