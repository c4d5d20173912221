//! A projection bug on one event: its stream waits for the fix, everything else flows. The bug is the
//! replica's database, which refuses the event's rows.

use std::collections::BTreeMap;

use fido_domain::{Position, Recorded};
use serde_json::json;
use sqlx::Row;
use tokio_util::sync::CancellationToken;

use super::scene::{Replica, Scene};
use crate::until::until;

/// Every event of the log, in order.
async fn events(scene: &Scene) -> Vec<Recorded> {
    scene.log.after(0, 100_000).await.unwrap()
}

/// Position, culprit, payload and metadata of what is parked, in order.
async fn parked(replica: &Replica) -> Vec<(Position, Position, String, String)> {
    let rows = sqlx::query(
        "select position, culprit, payload::text as payload, metadata::text as metadata \
         from quarantine order by position",
    )
    .fetch_all(&mut replica.owner().await)
    .await
    .unwrap();
    rows.iter()
        .map(|row| {
            (
                row.get("position"),
                row.get("culprit"),
                row.get("payload"),
                row.get("metadata"),
            )
        })
        .collect()
}

/// What must be parked when the event `culprit` cannot be applied.
fn behind<'a>(events: &'a [Recorded], culprit: &Recorded) -> impl Iterator<Item = &'a Recorded> {
    let (id, from) = (culprit.aggregate_id, culprit.position);
    events
        .iter()
        .filter(move |event| event.aggregate_id == id && event.position >= from)
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_stream_of_the_event_waits_and_retry_makes_the_replica_whole() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let people = history.live(30, 6).await;
    let log = events(&scene).await;
    // In the middle of a full batch, and in the middle of its stream.
    let culprit = log
        .iter()
        .filter(|event| event.aggregate_id == people[7].conversation)
        .nth(9)
        .unwrap();
    let replica = Replica::on_the_shared_cluster().await;
    replica.refuse(culprit.position).await;
    let process = scene.process(&replica);
    replica.reaches(scene.head().await).await;
    process.says("its stream is in quarantine").await;

    // Live, the stream goes on parking and the others flow.
    for person in &people[6..9] {
        history.talk(*person).await;
    }
    replica.reaches(scene.head().await).await;
    let log = events(&scene).await;
    let found = parked(&replica).await;
    let wanted: Vec<_> = behind(&log, culprit)
        .map(|event| {
            let (payload, metadata) = (event.payload.get(), event.metadata.get());
            (
                event.position,
                culprit.position,
                payload.to_owned(),
                metadata.to_owned(),
            )
        })
        .collect();
    assert!(wanted.len() > 4);
    assert_eq!(found, wanted, "as stored, from the culprit on");
    assert!(
        found
            .iter()
            .any(|(.., payload, _)| payload.contains("\"sealed\""))
    );
    let flowed: Vec<Position> = log
        .iter()
        .map(|event| event.position)
        .filter(|position| !found.iter().any(|(parked, ..)| parked == position))
        .collect();
    assert_eq!(replica.positions().await, flowed);
    let condition = replica.condition().await;
    assert_eq!(condition.quarantined_streams, 1);
    assert_eq!(
        condition.quarantined_events,
        i64::try_from(found.len()).unwrap()
    );

    scene
        .announces(&replica, |state| state.quarantined == 1)
        .await;

    // Before the fix a retry says what is in the way, and changes nothing.
    let (content, answer) = scene.retry(&replica).await;
    assert!(!content);
    assert_eq!(answer["streams"][0]["applied"], 0, "{answer}");
    assert_eq!(answer["streams"][0]["still"]["position"], culprit.position);
    let reason = answer["streams"][0]["still"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("SQLSTATE 23514") && reason.contains("bug_"),
        "{reason}"
    );
    assert_eq!(parked(&replica).await, found);

    replica.accept(culprit.position).await;
    let (content, answer) = scene.retry(&replica).await;
    assert!(content, "{answer}");
    assert_eq!(answer["streams"][0]["applied"], found.len(), "{answer}");
    assert!(replica.condition().await.is_good());
    scene.announces(&replica, |state| state.is_healthy()).await;
    scene.is_a_replay(&replica).await;
    history.talk(people[7]).await;
    scene.is_a_replay(&replica).await;
    assert!(replica.condition().await.is_good());
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_event_it_is_the_replica_is_whole_after_a_retry() {
    let scene = Scene::begin().await;
    let people = scene.history().live(2, 2).await;
    // Two streams side by side in quarantine, each from each of its events on.
    let mut streams: BTreeMap<_, Vec<Position>> = BTreeMap::new();
    for event in events(&scene).await {
        streams
            .entry(event.aggregate_id)
            .or_default()
            .push(event.position);
    }
    assert_eq!(streams.len(), 6);
    let wanted = scene.fresh_replay().await;
    let (conversation, plan) = (&streams[&people[0].conversation], &streams[&people[0].plan]);
    for (n, &position) in conversation.iter().enumerate() {
        let bugs = [
            position,
            plan[n % plan.len()],
            streams[&people[1].account][0],
        ];
        let replica = Replica::on_the_shared_cluster().await;
        for bug in bugs {
            replica.refuse(bug).await;
        }
        let projecting = scene.project(&replica).await;
        replica.reaches(scene.head().await).await;
        assert_eq!(replica.condition().await.quarantined_streams, 3, "{bugs:?}");
        for (left, bug) in bugs.iter().enumerate().rev() {
            replica.accept(*bug).await;
            let (content, answer) = scene.retry(&replica).await;
            assert_eq!(content, left == 0, "{answer}");
            assert_eq!(
                replica.condition().await.quarantined_streams,
                i64::try_from(left).unwrap()
            );
        }
        replica.contents().await.must_equal(&wanted);
        projecting.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_may_come_while_the_projector_is_at_work_on_the_same_stream() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let people = history.live(4, 2).await;
    let replica = Replica::on_the_shared_cluster().await;
    let _projecting = scene.project(&replica).await;
    replica.reaches(scene.head().await).await;
    let next = scene.head().await + 1;
    replica.refuse(next).await;
    let busy = people[0];
    assert_eq!(history.write(busy, 1).await, next);
    let enough = CancellationToken::new();
    let told = enough.clone();
    let load = tokio::spawn(async move {
        for n in 2.. {
            history.write(busy, n).await;
            if told.is_cancelled() {
                return;
            }
        }
    });
    replica.reaches(next + 100).await;
    replica.accept(next).await;
    until("nothing is left in quarantine", async || {
        let (content, answer) = scene.retry(&replica).await;
        assert!(content, "{answer}");
        replica.condition().await.quarantined_streams == 0
    })
    .await;
    assert!(!load.is_finished(), "all of that under load");
    enough.cancel();
    load.await.unwrap();
    scene.is_a_replay(&replica).await;
    assert_eq!(replica.condition().await.quarantined_events, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_database_is_nobodys_quarantine() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let people = history.live(3, 2).await;
    let replica = Replica::on_the_shared_cluster().await;
    let process = scene.process(&replica);
    replica.reaches(scene.head().await).await;
    // As when a migration is missing: it would meet every event.
    replica.run("alter table timeline rename to mislaid").await;
    history.talk(people[0]).await;
    process.says("looks again").await;
    assert_eq!(replica.condition().await.quarantined_events, 0);
    replica.run("alter table mislaid rename to timeline").await;
    scene.is_a_replay(&replica).await;
    assert!(replica.condition().await.is_good());
    let nothing = json!({"complete": true, "streams": []});
    assert_eq!(scene.retry(&replica).await, (true, nothing));
}
