//! What the broker does not bring is read from the log.

use async_nats::jetstream::stream::Config;

use super::scene::{Replica, Scene, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_stream_is_filled_from_the_log() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let replica = Replica::on_the_shared_cluster().await;
    let process = scene.process(&replica);
    let person = history.person().await;
    replica.reaches(scene.head().await).await;
    process.says("the projector follows the log").await;

    let stream = scene
        .jetstream()
        .await
        .get_stream("FIDO_EVENTS")
        .await
        .unwrap();
    let consumer = format!("projector_{}", replica.name);
    let forget = Config {
        max_messages_per_subject: 1,
        ..stream.cached_info().config.clone()
    };
    scene
        .jetstream()
        .await
        .update_stream(&forget)
        .await
        .unwrap();
    // A projector that waits for two seconds reads the log anyhow: should this machine be that slow,
    // it is tried again.
    let mut n = 0;
    until("a hole is met", async || {
        let forever = fido_commands::ambient::now() + time::Duration::hours(1);
        stream.pause_consumer(&consumer, forever).await.unwrap();
        // Of these events the stream keeps the last.
        for _ in 0..3 {
            n += 1;
            history.write(person, n).await;
        }
        let head = scene.head().await;
        until("the stream has come as far", async || {
            let info = stream.get_info().await.unwrap();
            info.state.last_sequence == u64::try_from(head).unwrap()
        })
        .await;
        stream.resume_consumer(&consumer).await.unwrap();
        replica.reaches(head).await;
        process.has_said("the stream lacks events")
    })
    .await;
    history.talk(person).await;
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
