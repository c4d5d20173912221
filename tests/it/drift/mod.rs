//! The drift watch: a replica that is as the log says is found so, and a changed row is named.

mod status;

use std::collections::BTreeSet;
use std::time::Duration;

use fido_projections::drift::{self, DriftWatch};

use crate::app::TestApp;
use crate::flips::Flips;
use crate::ground::REPLICA;
use crate::replica_scene::{CaughtUp, Replica, log};

/// So many that none of the few streams of a test is ever left out.
const STREAMS: usize = 200;

/// A watch that looks when it is told to.
pub(crate) async fn watch(app: &TestApp, replica: &Replica) -> DriftWatch {
    DriftWatch {
        replica: REPLICA.to_owned(),
        place: replica.place(),
        log: log(&app.ground).await,
        every: Duration::from_secs(3_600),
        streams: STREAMS,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_as_the_log_says_does_not_drift() {
    let CaughtUp {
        app, replica, head, ..
    } = CaughtUp::begin().await;

    let found = watch(&app, &replica).await.look().await.unwrap().unwrap();
    assert_eq!(found.position, head);
    assert_eq!(found.streams, 3, "the account, the conversation, the plan");
    assert_eq!((found.differing, &found.first), (0, &None));
    let mut snapshot = app
        .ground
        .system()
        .await
        .replicas()
        .read(None)
        .await
        .unwrap();
    let kept = drift::last(&mut snapshot).await.unwrap().unwrap();
    assert_eq!(kept, found, "and it is kept");
}

/// Looking at an old part of the log never touches what is live.
#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_nothing() {
    let CaughtUp { app, replica, .. } = CaughtUp::begin().await;
    let mut owner = replica.as_owner().await;
    let mut rows = async || -> Vec<(String, String)> {
        sqlx::query_as(
            "select tableoid::regclass::text, xmin::text || ctid::text from fido.messages union all \
             select tableoid::regclass::text, xmin::text || ctid::text from fido.timeline union all \
             select tableoid::regclass::text, xmin::text || ctid::text from fido.conversations \
             order by 1, 2",
        )
        .fetch_all(&mut owner)
        .await
        .unwrap()
    };
    let before = rows().await;
    assert!(!before.is_empty());
    watch(&app, &replica).await.look().await.unwrap().unwrap();
    assert_eq!(
        rows().await,
        before,
        "not even the same rows were written again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_row_is_found_in_every_table_until_it_is_right_again() {
    let CaughtUp { app, replica, .. } = CaughtUp::begin().await;
    let mut watch = watch(&app, &replica).await;

    let mut flips = Flips::of(&replica).await;
    let mut tables = BTreeSet::new();
    for (table, column, data_type, in_key) in flips.columns() {
        // What adds up over streams is left to a whole replay.
        let sums_up = ["usage_by_day", "messages_by_day"].contains(&table.as_str());
        if in_key || sums_up || !tables.insert(table.clone()) {
            continue;
        }
        flips.flip(&table, &column, &data_type).await;
        let found = watch.look().await.unwrap().unwrap();
        let first = found.first.expect("a difference");
        assert_eq!(first.table, table);
        assert_eq!(found.differing, 1);
        // It is looked at again although no stream is chosen.
        watch.streams = 0;
        let again = watch.look().await.unwrap().unwrap();
        assert_eq!((again.streams, again.first), (1, Some(first)));
        flips.undo(&table).await;
        let again = watch.look().await.unwrap().unwrap();
        assert_eq!((again.differing, again.first), (0, None));
        watch.streams = STREAMS;
    }
    for table in ["accounts", "conversations", "messages", "plans", "timeline"] {
        assert!(tables.contains(table), "{tables:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_row_is_found() {
    let CaughtUp {
        app,
        conversation: id,
        replica,
        ..
    } = CaughtUp::begin().await;
    sqlx::query("delete from fido.messages where role = 'assistant'")
        .execute(&mut replica.as_owner().await)
        .await
        .unwrap();
    let found = watch(&app, &replica).await.look().await.unwrap().unwrap();
    let first = found.first.unwrap();
    assert_eq!(
        (first.aggregate_type.as_str(), first.aggregate_id),
        ("conversation", id)
    );
    assert_eq!(first.table, "messages");
}
