//! A rebuild that did not come to its end, and one beside another.

use fido_projections::rebuild::{Rebuild, RebuildError};

use crate::app::TestApp;
use crate::replica_scene::{CaughtUp, Replica, log, say, untold};
use crate::until::until;

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_rebuild_at_a_time() {
    let app = TestApp::start_quiet().await;
    let replica = Replica::first(&app.ground);
    let log = log(&app.ground).await;
    let begin = || Rebuild::begin(replica.owner(), log.clone(), "test");
    let first = begin().await.unwrap();
    assert!(matches!(begin().await, Err(RebuildError::UnderWay)));
    let back = Rebuild::back(replica.owner(), log.clone()).await;
    assert!(matches!(back, Err(RebuildError::UnderWay)));
    // A process that dies lets go.
    drop(first);
    until("the lock is free", async || begin().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_way_back_before_the_first_switch() {
    let app = TestApp::start_quiet().await;
    let replica = Replica::first(&app.ground);
    let back = Rebuild::back(replica.owner(), log(&app.ground).await).await;
    assert!(matches!(back, Err(RebuildError::NothingBefore)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_build_goes_on_with_what_an_interrupted_run_has_left() {
    let CaughtUp {
        app,
        ada,
        conversation: id,
        replica,
        head,
    } = CaughtUp::begin().await;
    let log = log(&app.ground).await;

    let replay = async |build: &str| {
        let begun = loop {
            // The run before may not have let go yet.
            match Rebuild::begin(replica.owner(), log.clone(), build).await {
                Err(RebuildError::UnderWay) => tokio::task::yield_now().await,
                begun => break begun,
            }
        };
        let mut rebuild = begun.unwrap();
        let replayed = rebuild.replay(&untold).await.unwrap();
        (replayed.from, replayed.position, rebuild)
    };
    let (from, position, interrupted) = replay("one").await;
    assert_eq!((from, position), (0, head));
    drop(interrupted);

    let later = say(&app, &ada, id, "Later").await;
    replica.reaches(later).await;
    let (from, position, interrupted) = replay("one").await;
    assert_eq!((from, position), (head, later), "nothing is replayed twice");
    drop(interrupted);

    let (from, position, mut rebuild) = replay("two").await;
    assert_eq!(
        (from, position),
        (0, later),
        "another build may project otherwise"
    );
    assert!(rebuild.compare(&untold).await.unwrap().is_equal());
    rebuild.switch(&untold).await.unwrap();
}
