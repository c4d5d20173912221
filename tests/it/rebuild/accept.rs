//! A rebuild that finds the live rows to be others: it switches only when it is told to.

use serde_json::Value;

use crate::replica_scene::{CaughtUp, fido};

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_named_and_only_accepted_when_told() {
    let CaughtUp {
        app, replica, head, ..
    } = CaughtUp::begin().await;
    sqlx::query("update fido.conversations set message_count = 99")
        .execute(&mut replica.as_owner().await)
        .await
        .unwrap();
    let count = async || -> i64 {
        sqlx::query_scalar("select message_count from fido.conversations")
            .fetch_one(&mut replica.as_owner().await)
            .await
            .unwrap()
    };
    let run = async |arguments: &[&str]| {
        let arguments = [&["replica", "rebuild", "--json"], arguments].concat();
        fido(&app.ground, &replica, &arguments)
            .output()
            .await
            .unwrap()
    };

    let unasked = run(&[]).await;
    assert_eq!(unasked.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&unasked.stderr);
    assert!(stderr.contains("--yes"), "{stderr}");

    let refused = run(&["--yes"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(
        stderr.contains("table conversations") && stderr.contains("differs in message_count"),
        "{stderr}"
    );
    let report: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(report["comparison"]["equal"], false);
    assert_eq!(report["switched"], Value::Null);
    assert_eq!(count().await, 99);

    let accepted = run(&["--yes", "--accept-difference"]).await;
    let stderr = String::from_utf8_lossy(&accepted.stderr);
    assert_eq!(accepted.status.code(), Some(0), "{stderr}");
    let report: Value = serde_json::from_slice(&accepted.stdout).unwrap();
    assert_eq!(
        report["replayed"]["from"], head,
        "nothing is replayed twice"
    );
    assert_eq!(report["switched"]["position"], head);
    assert_eq!(count().await, 4, "as the log says");

    let back = run(&["--yes", "--rollback"]).await;
    assert_eq!(back.status.code(), Some(0));
    assert_eq!(count().await, 99, "as it was");
}
