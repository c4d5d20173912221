//! The switch and those who read for long: neither waits for the other without an end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fido_projections::rebuild::{Progress, Rebuild};
use sqlx::Connection;
use tokio::sync::Notify;

use crate::replica_scene::{CaughtUp, log, pool, untold};

#[tokio::test(flavor = "multi_thread")]
async fn a_long_reader_is_waited_for_and_nobody_queues_behind_the_switch() {
    let CaughtUp { app, replica, .. } = CaughtUp::begin().await;
    let log = log(&app.ground).await;

    let mut rebuild = Rebuild::begin(replica.owner(), log, "test").await.unwrap();
    rebuild.replay(&untold).await.unwrap();
    assert!(rebuild.compare(&untold).await.unwrap().is_equal());

    let pool = pool(&replica).await;
    let mut long = pool
        .begin_with("begin isolation level repeatable read read only")
        .await
        .unwrap();
    let read = "select position from checkpoint";
    let before: i64 = sqlx::query_scalar(read)
        .fetch_one(&mut *long)
        .await
        .unwrap();

    let (waited, again) = (AtomicU32::new(0), Notify::new());
    let told = |progress: Progress| {
        if let Progress::Waiting { attempts } = progress {
            waited.store(attempts, Ordering::Relaxed);
            again.notify_one();
        }
    };
    let reading = async {
        for _ in 0..3 {
            again.notified().await;
            // While it waits, others read on: the bound is many times what an attempt takes.
            let other = sqlx::query_scalar::<_, i64>(read).fetch_one(&pool);
            let other = tokio::time::timeout(Duration::from_secs(5), other).await;
            assert_eq!(
                other.expect("a reader queues behind the switch").unwrap(),
                before
            );
        }
        let still: i64 = sqlx::query_scalar("select max(position) from timeline")
            .fetch_one(&mut *long)
            .await
            .unwrap();
        assert_eq!(still, before, "it goes on to see what it saw");
        long.commit().await.unwrap();
    };
    let (switched, ()) = tokio::join!(rebuild.switch(&told), reading);
    let switched = switched.unwrap();
    assert!(switched.attempts > waited.load(Ordering::Relaxed));
    assert!(switched.attempts >= 4, "{switched:?}");
}

/// Somebody has written rows without having locked the checkpoint first. The switch would divide such
/// a transaction between the two schemas.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_being_written_are_waited_for() {
    let CaughtUp { app, replica, .. } = CaughtUp::begin().await;
    let log = log(&app.ground).await;
    let mut rebuild = Rebuild::begin(replica.owner(), log, "test").await.unwrap();
    rebuild.replay(&untold).await.unwrap();

    let mut owner = replica.as_owner().await;
    let mut writing = owner.begin().await.unwrap();
    sqlx::query("update fido.accounts set sequence = sequence")
        .execute(&mut *writing)
        .await
        .unwrap();
    let again = Notify::new();
    let told = |progress: Progress| {
        if let Progress::Waiting { .. } = progress {
            again.notify_one();
        }
    };
    let write = async {
        again.notified().await;
        writing.commit().await.unwrap();
    };
    let (switched, ()) = tokio::join!(rebuild.switch(&told), write);
    assert!(switched.unwrap().attempts > 1);
}
