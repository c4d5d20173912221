//! `fido replica verify`: equal replicas are equal, and one changed value is found and named.

mod erased;
mod flipped;

use fido_projections::verify::{against, against_fresh};
use serde_json::Value;

use crate::app::TestApp;
use crate::drift::watch;
use crate::replica_scene::{CaughtUp, Replica, fido, log, something_of_everything, untold};

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_and_a_fresh_replay_are_equal() {
    let CaughtUp {
        app,
        replica: one,
        head,
        ..
    } = CaughtUp::begin().await;
    let other = Replica::another().await;
    let projecting = other.project(&app.ground).await;

    // What operators and projectors note in one replica does not count.
    let looked = watch(&app, &one).await.look().await.unwrap();
    assert!(looked.is_some());
    // Whichever is ahead is held until the other has come as far.
    let compared = against(&one.place(), &other.place(), &untold)
        .await
        .unwrap();
    assert!(compared.is_equal(), "{compared:?}");
    assert_eq!(compared.position, head);
    let rows = |name: &str| {
        let table = compared.tables.iter().find(|table| table.name == name);
        table.unwrap().rows.unwrap()
    };
    assert_eq!(rows("accounts"), 1);
    assert_eq!(rows("messages"), 4);
    assert_eq!(rows("timeline"), head.unsigned_abs());
    projecting.end().await;

    let fresh = against_fresh(&one.owner(), &log(&app.ground).await, "test", &untold)
        .await
        .unwrap();
    assert_eq!(fresh, compared, "the hashes are the same everywhere");
    let left: bool = sqlx::query_scalar("select to_regnamespace('fido_fresh') is not null")
        .fetch_one(&mut one.as_owner().await)
        .await
        .unwrap();
    assert!(!left, "the fresh replay is removed");
}

/// Writers go on all the time, so positions are brought together by exact replay.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_moves_equals_a_fresh_replay() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let id = something_of_everything(&app, &ada).await;
    let replica = Replica::first(&app.ground);
    let log = log(&app.ground).await;
    let (owner, verified) = (replica.owner(), tokio_util::sync::CancellationToken::new());
    let verify = async {
        let fresh = against_fresh(&owner, &log, "test", &untold).await.unwrap();
        verified.cancel();
        fresh
    };
    let write = async {
        while !verified.is_cancelled() {
            crate::replica_scene::say(&app, &ada, id, "More").await;
        }
    };
    let (fresh, ()) = tokio::join!(verify, write);
    assert!(fresh.is_equal(), "{fresh:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_says_whether_they_are_equal() {
    let CaughtUp {
        app,
        ada,
        replica,
        head,
        ..
    } = CaughtUp::begin().await;

    let verify = ["replica", "verify", "--fresh", "--json"];
    let equal = fido(&app.ground, &replica, &verify).output().await.unwrap();
    let report: Value = serde_json::from_slice(&equal.stdout).unwrap();
    assert_eq!(equal.status.code(), Some(0), "{report}");
    assert_eq!(report["equal"], true);
    assert_eq!(report["position"], head);

    sqlx::query("update fido.accounts set email = '{\"sealed\": \"Somebody else\"}'")
        .execute(&mut replica.as_owner().await)
        .await
        .unwrap();
    let differs = fido(&app.ground, &replica, &verify).output().await.unwrap();
    assert_eq!(differs.status.code(), Some(1));
    let stdout = String::from_utf8_lossy(&differs.stdout);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["equal"], false);
    let accounts = &report["tables"][0];
    assert_eq!(accounts["table"], "accounts");
    assert_eq!(
        accounts["difference"]["row"]["account_id"],
        ada.account_id.to_string()
    );
    assert_eq!(
        accounts["difference"]["columns"],
        serde_json::json!(["email"])
    );
    let stderr = String::from_utf8_lossy(&differs.stderr);
    assert!(stderr.contains("differs in email"), "{stderr}");
    assert!(
        !stdout.contains("Somebody") && !stderr.contains("Somebody"),
        "no content is shown: {stdout} {stderr}"
    );
}
