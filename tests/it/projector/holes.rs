//! What the broker does not bring is read from the log.

use async_nats::jetstream::stream::Config;

use fido_commands::ambient;
use serde_json::json;

use super::history::NewEvents;
use super::scene::{Replica, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_applied_behind_a_hole_until_the_log_fills_it() {
    let scene = Scene::begin().await;
    let person = scene.history().person().await;
    let head = scene.head().await;
    scene.stream_reaches(head).await;
    scene.stop_the_relay();

    // Three events, of which the stream brings the last alone, before the log has any of them.
    let mut uncommitted = scene.ground.pool().await.begin().await.unwrap();
    let payload = json!({"reply_id": ambient::new_id(), "attempt": 1}).to_string();
    let appended = NewEvents {
        aggregate_type: "conversation",
        aggregate_id: person.conversation,
        expected: 1,
        subject: person.account,
        event_type: "reply_started",
        event_version: "1",
        payloads: vec![payload; 3],
    };
    let first = appended.append(&mut uncommitted).await;
    assert_eq!(first, head + 1);
    let jetstream = scene.jetstream().await;
    let stream = jetstream.get_stream("FIDO_EVENTS").await.unwrap();
    let third = Config {
        first_sequence: u64::try_from(head + 3).ok(),
        ..stream.cached_info().config.clone()
    };
    jetstream.delete_stream("FIDO_EVENTS").await.unwrap();
    jetstream.create_stream(third).await.unwrap();
    let published = jetstream.publish("fido.events.00.conversation.reply_started", "".into());
    let published = published.await.unwrap().await.unwrap();
    assert_eq!(u64::try_from(head + 3), Ok(published.sequence));

    let replica = Replica::on_the_shared_cluster().await;
    let process = scene.process(&replica);
    let hole = format!("expected position {first}, the stream brought {}", head + 3);
    process.says(&hole).await;
    assert_eq!(replica.position().await, head);
    uncommitted.commit().await.unwrap();
    assert_eq!(scene.head().await, head + 3);
    scene.is_a_replay(&replica).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_relay_the_replica_still_comes_along() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let replica = Replica::on_the_shared_cluster().await;
    let _projecting = scene.project(&replica).await;
    history.live(3, 2).await;
    replica.reaches(scene.head().await).await;
    scene.stop_the_relay();
    history.live(3, 2).await;
    scene.is_a_replay(&replica).await;
}
