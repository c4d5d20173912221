//! A large log, for whoever wants to know how fast it is: prints figures, and checks what must hold
//! whatever they are. `FIDO_LARGE` events, a million unless told otherwise.

use std::time::Duration;

use fido_projections::verify::against_fresh;

use super::readers::Readers;
use super::{rebuild, roll_back};
use crate::app::TestApp;
use crate::replica_scene::{Replica, log, multiply, note, something_of_everything, untold};
use crate::until::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; its figures mean something in a release build"]
#[expect(
    clippy::disallowed_methods,
    reason = "only whoever starts this test by hand says how large"
)]
async fn a_million_events_are_rebuilt_while_the_replica_serves() {
    let events = std::env::var("FIDO_LARGE").map_or(1_000_000, |events| events.parse().unwrap());
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    something_of_everything(&app, &ada).await;
    let filled = multiply(&app.ground, events).await;
    let replica = Replica::first(&app.ground);
    // Beside the relay, which publishes them all too.
    let patience = PATIENCE + Duration::from_millis(filled.unsigned_abs());
    replica.reaches_within(patience, filled).await;

    let (replayed, verdict, switched) = rebuild(&app.ground, &replica).await;
    note(&format!(
        "alone: {:.0} events/s, {switched:?}",
        replayed.rate()
    ));
    assert!(verdict.is_equal(), "{verdict:?}");

    let readers = Readers::start(&app, &ada, &replica).await;
    let (replayed, verdict, switched) = rebuild(&app.ground, &replica).await;
    note(&format!(
        "while it serves: {:.0} events/s, {switched:?}",
        replayed.rate()
    ));
    assert!(verdict.is_equal(), "{verdict:?}");
    let back = roll_back(&app.ground, &replica).await;
    note(&format!("back: {back:?}; {} reads", readers.stop().await));

    let begun = std::time::Instant::now();
    let log = log(&app.ground).await;
    let compared = against_fresh(&replica.owner(), &log, "test", &untold)
        .await
        .unwrap();
    assert!(compared.is_equal(), "{compared:?}");
    note(&format!(
        "replayed again and compared in {:?}",
        begun.elapsed()
    ));
}
