//! The relay between a log that is written to and a broker that is killed, wiped and put back: the
//! event stream always ends up as the log, each event once and under its position.

pub(crate) mod scene;

use std::path::Path;

use fido_domain::Recorded;
use fido_nats::relay::Activity;
use futures::StreamExt;
use nix::sys::signal::Signal;

use crate::ground::Ground;
use crate::until::until;
use scene::{
    Relay, append_unknown, fill, is_the_log_from, log, published, relays, send, stream, write,
};

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_race_and_either_may_be_killed() {
    const BEFORE: i64 = 30_000;
    let ground = Ground::prepare().await;
    let store = ground.store().await;
    write(&store, 1).await;
    fill(&ground, BEFORE).await;
    let (mut one, mut other) = (Relay::start(&ground), Relay::start(&ground));
    // Again and again one of them is killed, while there is much to catch up with and while the log
    // grows, and another begins.
    let writing = tokio::spawn(async move { write(&store, 5_000).await });
    for reached in [2_000, 8_000, 15_000, 22_000, BEFORE + 1_000, BEFORE + 3_000] {
        published(&ground, reached).await;
        one.kill().await;
        (one, other) = (other, Relay::start(&ground));
    }
    writing.await.unwrap();
    is_the_log_from(&ground, 1).await;

    // Once both have met, one works and one stands by.
    let store = ground.store().await;
    until("one of two stands by", async || {
        write(&store, 20).await;
        let mut doing: Vec<_> = relays(&ground)
            .await
            .iter()
            .map(|relay| relay.activity)
            .collect();
        doing.sort_by_key(|activity| *activity != Activity::Publishing);
        doing == [Activity::Publishing, Activity::Following]
    })
    .await;
    is_the_log_from(&ground, 1).await;
    one.kill().await;
    other.kill().await;
    assert_eq!(relays(&ground).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_store_is_filled_again() {
    let mut ground = Ground::prepare().await;
    let store = ground.store().await;
    let _relay = Relay::start(&ground);
    for round in 1..=2 {
        let writing = tokio::spawn({
            let store = store.clone();
            async move { write(&store, 5_000).await }
        });
        published(&ground, 5_000 * round - 2_000).await;
        ground.nats.kill().await.unwrap();
        std::fs::remove_dir_all(ground.nats.store_dir()).unwrap();
        ground.nats.restart().await.unwrap();
        writing.await.unwrap();
        is_the_log_from(&ground, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_with_an_older_tail_is_brought_up_to_date() {
    let mut ground = Ground::prepare().await;
    let store = ground.store().await;
    let _relay = Relay::start(&ground);
    write(&store, 1_000).await;
    published(&ground, 1_000).await;
    ground.nats.kill().await.unwrap();
    let backup = tempfile::tempdir().unwrap();
    copy(&ground.nats.store_dir(), backup.path());
    ground.nats.restart().await.unwrap();
    write(&store, 3_000).await;
    published(&ground, 4_000).await;

    // Put back twice: while nothing is written, and while much is.
    for more in [0, 4_000] {
        ground.nats.kill().await.unwrap();
        std::fs::remove_dir_all(ground.nats.store_dir()).unwrap();
        copy(backup.path(), &ground.nats.store_dir());
        let writing = tokio::spawn({
            let store = store.clone();
            async move { write(&store, more).await }
        });
        ground.nats.restart().await.unwrap();
        writing.await.unwrap();
        is_the_log_from(&ground, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_is_made_anew_whether_or_not_anything_is_written() {
    let ground = Ground::prepare().await;
    let store = ground.store().await;
    let relay = Relay::start(&ground);
    write(&store, 1_000).await;
    published(&ground, 1_000).await;
    let broker = ground.jetstream().await;
    broker.delete_stream("FIDO_EVENTS").await.unwrap();
    is_the_log_from(&ground, 1).await;

    let writing = tokio::spawn(async move { write(&store, 5_000).await });
    for after in [2_000, 4_000] {
        published(&ground, after).await;
        broker.delete_stream("FIDO_EVENTS").await.unwrap();
    }
    writing.await.unwrap();
    is_the_log_from(&ground, 1).await;
    assert_eq!(relay.said().matches("made the event stream").count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_may_be_down_while_commands_come_in() {
    let mut ground = Ground::prepare().await;
    let store = ground.store().await;
    let relay = Relay::start(&ground);
    write(&store, 100).await;
    published(&ground, 100).await;
    ground.nats.kill().await.unwrap();
    write(&store, 3_000).await;
    relay
        .says("the event stream has fallen behind the log")
        .await;
    ground.nats.restart().await.unwrap();
    relay
        .says("the event stream has caught up with the log")
        .await;
    is_the_log_from(&ground, 1).await;
    let said = relay.said();
    let tries = said.matches("the relay lost its place").count();
    assert!((1..=3).contains(&tries), "it waits for the line:\n{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_made_for_a_long_log_begins_late_in_it() {
    let ground = Ground::prepare().await;
    let store = ground.store().await;
    write(&store, 1).await;
    fill(&ground, 130_000).await;
    let _relay = Relay::start(&ground);
    published(&ground, 130_000).await;
    write(&store, 10).await;
    published(&ground, 130_010).await;
    let stream = stream(&ground).await.unwrap();
    assert_eq!(stream.config.first_sequence, Some(30_001));
    assert_eq!(stream.state.first_sequence, 30_001);
    assert_eq!(stream.state.messages, 100_010);
    let message = ground.messages().await.next().await.unwrap().unwrap();
    let first: Recorded = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!(first.position, 30_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_carries_something_else_is_left_alone() {
    let ground = Ground::prepare().await;
    let store = ground.store().await;
    let relay = Relay::start(&ground);
    write(&store, 10).await;
    published(&ground, 10).await;
    relay.kill().await;
    // As when a log has lost its tail, and gone on before anybody looked.
    let lost = log(&ground).await.after(9, 1).await.unwrap();
    let broker = ground.jetstream().await;
    let message = serde_json::to_vec(&lost[0]).unwrap();
    let sent = broker
        .publish(
            "fido.events.00.conversation.conversation_started",
            message.into(),
        )
        .await;
    sent.unwrap().await.unwrap();
    write(&store, 5).await;

    let relay = Relay::start(&ground);
    relay.says("carries another event at position 11").await;
    let stream = stream(&ground).await.unwrap();
    assert_eq!(stream.state.last_sequence, 11, "nothing was published");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paused_does_no_harm_when_it_goes_on() {
    let ground = Ground::prepare().await;
    let store = ground.store().await;
    let one = Relay::start(&ground);
    write(&store, 500).await;
    published(&ground, 500).await;

    // A broker that is not gone, but silent.
    let broker = ground.nats.pid().unwrap();
    send(broker, Signal::SIGSTOP);
    write(&store, 500).await;
    one.says("the relay lost its place").await;
    send(broker, Signal::SIGCONT);
    is_the_log_from(&ground, 1).await;

    // A relay that sleeps over what another one does, and then sends what it had in hand.
    let writing = tokio::spawn({
        let store = store.clone();
        async move { write(&store, 4_000).await }
    });
    published(&ground, 1_500).await;
    one.signal(Signal::SIGSTOP);
    let other = Relay::start(&ground);
    published(&ground, 3_000).await;
    one.signal(Signal::SIGCONT);
    writing.await.unwrap();
    is_the_log_from(&ground, 1).await;
    other.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_newer_build_is_carried_like_any_other() {
    let ground = Ground::prepare().await;
    let store = ground.store().await;
    let _relay = Relay::start(&ground);
    write(&store, 10).await;
    append_unknown(&ground).await;
    write(&store, 10).await;
    is_the_log_from(&ground, 1).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
