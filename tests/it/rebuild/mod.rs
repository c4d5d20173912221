//! `fido replica rebuild`: a replica is built anew and switched to while it serves and is written.

mod accept;
mod interrupted;
mod large;
mod patient;
mod readers;
mod views;

use fido_projections::operation;
use fido_projections::rebuild::{Rebuild, Replayed, Switched, Verdict};
use fido_projections::verify::against_fresh;

use crate::app::TestApp;
use crate::ground::Ground;
use crate::replica_scene::{
    CaughtUp, Replica, log, multiply, note, pool, say, something_of_everything, untold,
};
use readers::Readers;

/// All of a rebuild.
pub(crate) async fn rebuild(ground: &Ground, replica: &Replica) -> (Replayed, Verdict, Switched) {
    let log = log(ground).await;
    let mut rebuild = Rebuild::begin(replica.owner(), log, "test").await.unwrap();
    let replayed = rebuild.replay(&untold).await.unwrap();
    let verdict = rebuild.compare(&untold).await.unwrap();
    (replayed, verdict, rebuild.switch(&untold).await.unwrap())
}

/// The way back.
pub(crate) async fn roll_back(ground: &Ground, replica: &Replica) -> Switched {
    let log = log(ground).await;
    let mut back = Rebuild::back(replica.owner(), log).await.unwrap();
    back.replay(&untold).await.unwrap();
    back.switch(&untold).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_writes_and_the_projector_go_on_through_rebuild_and_rollback() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let id = something_of_everything(&app, &ada).await;
    let filled = multiply(&app.ground, 20_000).await;
    let replica = Replica::first(&app.ground);
    replica.reaches(filled).await;
    let identity = async || -> String {
        sqlx::query_scalar("select 'fido'::regnamespace::oid::text")
            .fetch_one(&mut replica.as_owner().await)
            .await
            .unwrap()
    };
    let first = identity().await;

    let readers = Readers::start(&app, &ada, &replica).await;
    let (replayed, verdict, switched) = rebuild(&app.ground, &replica).await;
    assert!(replayed.position >= filled && replayed.from == 0);
    assert!(verdict.is_equal(), "{verdict:?}");
    assert!(switched.position >= replayed.position);
    assert_ne!(identity().await, first, "another schema is live");
    // The projector goes on in the new one.
    let position = say(&app, &ada, id, "Still there?").await;
    replica.reaches(position).await;

    let back = roll_back(&app.ground, &replica).await;
    assert!(back.position >= position, "it has caught up before");
    assert_eq!(identity().await, first, "what was live before");
    let position = say(&app, &ada, id, "And now?").await;
    replica.reaches(position).await;
    let forth = roll_back(&app.ground, &replica).await;
    assert!(forth.position >= position);
    let position = say(&app, &ada, id, "At last").await;
    replica.reaches(position).await;
    let read = readers.stop().await;
    assert!(read > 0);
    note(&format!(
        "{read} reads and none failed; switched in {:?}, back in {:?}, forth in {:?}",
        switched.took, back.took, forth.took
    ));

    let log = log(&app.ground).await;
    let compared = against_fresh(&replica.owner(), &log, "test", &untold)
        .await
        .unwrap();
    assert!(compared.is_equal(), "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_goes_on_to_hold() {
    let CaughtUp {
        app,
        ada,
        conversation: id,
        replica,
        head,
    } = CaughtUp::begin().await;
    let pool = pool(&replica).await;
    operation::pause(&pool, Some("looking")).await.unwrap();
    let later = say(&app, &ada, id, "Later").await;

    let (_, verdict, switched) = rebuild(&app.ground, &replica).await;
    let Verdict::Compared(compared) = verdict else {
        panic!("{verdict:?}");
    };
    assert!(compared.is_equal());
    assert_eq!(
        compared.position, head,
        "compared where the paused one stands"
    );
    assert_eq!((switched.previous, switched.position), (Some(head), later));
    // The way back does not ask the pause, and keeps it.
    let back = roll_back(&app.ground, &replica).await;
    assert_eq!(back.position, later);
    assert!(operation::resume(&pool).await.unwrap(), "it was paused");
}
