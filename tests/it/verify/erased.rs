//! What is erased is erased on every replica, whichever way it came there.

use fido_commands::CommandContext;
use fido_commands::erasure::Eraser;
use fido_domain::Actor;
use fido_projections::rebuild::Rebuild;
use fido_projections::verify::against;

use crate::app::TestApp;
use crate::replica_scene::{Replica, log, say, something_of_everything, untold};

/// One projector is paused before an erasure, another replica is rebuilt past it: at one position both
/// are equal, although one has applied the events before the erasure while the key was still there.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_paused_before_an_erasure_equals_one_rebuilt_past_it() {
    let app = TestApp::start_quiet().await;
    let (ada, bob) = (app.register("ada").await, app.register("bob").await);
    let erased = something_of_everything(&app, &ada).await;
    let kept = something_of_everything(&app, &bob).await;
    let (rebuilt, paused) = (Replica::first(&app.ground), Replica::another().await);
    let before = log(&app.ground).await.head().await.unwrap();
    let projecting = paused.project(&app.ground).await;
    paused.reaches(before).await;
    projecting.end().await;

    let eraser = Eraser::new(app.ground.store().await, Some(app.ground.register()));
    let context = |account| CommandContext::new(Actor::user(account), account);
    eraser
        .erase_conversation(erased, context(ada.account_id))
        .await
        .unwrap();
    eraser
        .erase_account(ada.account_id, context(ada.account_id))
        .await
        .unwrap();
    let after = say(&app, &bob, kept, "Still here").await;

    rebuilt.reaches(after).await;
    let mut rebuild = Rebuild::begin(rebuilt.owner(), log(&app.ground).await, "test")
        .await
        .unwrap();
    rebuild.replay(&untold).await.unwrap();
    assert!(rebuild.compare(&untold).await.unwrap().is_equal());
    rebuild.switch(&untold).await.unwrap();
    assert_eq!(paused.position().await, before);

    let projecting = paused.project(&app.ground).await;
    let compared = against(&rebuilt.place(), &paused.place(), &untold)
        .await
        .unwrap();
    assert!(compared.is_equal(), "{compared:?}");
    assert_eq!(compared.position, after);
    projecting.end().await;
}
