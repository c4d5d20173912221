//! `fido status` tells what the watch over a replica has found.

use serde_json::Value;

use super::watch;
use crate::app::TestApp;
use crate::replica_scene::CaughtUp;

/// What `fido status` prints with these arguments.
async fn status(app: &TestApp, arguments: &[&str]) -> String {
    let arguments = [&["status"], arguments].concat();
    let output = app.ground.command(&arguments).output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

async fn replica(app: &TestApp) -> Value {
    let text = status(app, &["--json"]).await;
    let status: Value = serde_json::from_str(&text).unwrap();
    status["replicas"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_drifts_is_amber() {
    let CaughtUp {
        app,
        replica: seen,
        head,
        ..
    } = CaughtUp::begin().await;
    assert_eq!(
        replica(&app).await["drift"],
        Value::Null,
        "nobody has looked"
    );
    watch(&app, &seen).await.look().await.unwrap();
    let well = replica(&app).await;
    assert_eq!(
        (&well["health"], &well["lag"]),
        (&"green".into(), &0.into())
    );
    assert_eq!(well["drift"]["position"], head);
    assert_eq!(well["drift"]["differing"], 0);
    let text = status(&app, &[]).await;
    assert!(
        text.contains(&format!("3 streams as the log says at {head}")),
        "{text}"
    );

    sqlx::query("delete from fido.messages where role = 'assistant'")
        .execute(&mut seen.as_owner().await)
        .await
        .unwrap();
    watch(&app, &seen).await.look().await.unwrap();
    let ill = replica(&app).await;
    assert_eq!(ill["health"], "amber");
    assert_eq!(ill["drift"]["differing"], 1);
    assert_eq!(ill["drift"]["first"]["table"], "messages");
    let text = status(&app, &[]).await;
    assert!(
        text.contains("AMBER: 1 of 3 streams are not as the log says"),
        "{text}"
    );
}
