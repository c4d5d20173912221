//! Builds of two ages side by side. The older one is a projector that is told to know fewer events.

use fido_commands::ambient;
use fido_commands::log::Log;
use fido_domain::{Position, Recorded};
use fido_projections::{operation, vocabulary};
use serde_json::json;
use uuid::Uuid;

use super::history::NewEvents;
use super::scene::{Replica, Scene};
use crate::app::TestApp;
use crate::until::until;

/// A build from before plans could be laid aside.
fn older_build(event: &Recorded) -> bool {
    vocabulary::this_build(event) && event.event_type != "plan_archived"
}

async fn waits_at(replica: &Replica, position: Position) {
    until("the projector waits", async || {
        let waits = replica.condition().await.waits;
        waits.is_some_and(|waits| waits.position == position)
    })
    .await;
    assert_eq!(
        replica.position().await,
        position - 1,
        "all before it is shown"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_goes_on_where_the_older_build_waits_and_can_be_rolled_back() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let (replica, other) = (
        Replica::on_the_shared_cluster().await,
        Replica::on_the_shared_cluster().await,
    );
    let older = scene.project_knowing(&replica, older_build).await;
    let _other = scene.project(&other).await;
    let people = history.live(3, 2).await;
    replica.reaches(scene.head().await).await;

    // The newer build comes up beside the older one, and something new happens.
    let newer = scene.project(&replica).await;
    history.archive(people[0]).await;
    history.live(3, 2).await;
    replica.reaches(scene.head().await).await;
    assert!(replica.condition().await.is_good());

    // Rolled back: the older build goes on as far as it can, and the rest of the system further.
    newer.kill().await;
    history.live(3, 2).await;
    replica.reaches(scene.head().await).await;
    let unknown = history.archive(people[1]).await;
    history.live(3, 2).await;
    waits_at(&replica, unknown).await;
    other.reaches(scene.head().await).await;
    let condition = replica.condition().await;
    assert_eq!(condition.quarantined_events, 0, "{condition:?}");
    assert!(
        condition
            .waits
            .unwrap()
            .reason
            .contains("plan_archived version 1")
    );

    // Forward again.
    let _newer = scene.project(&replica).await;
    scene.is_a_replay(&replica).await;
    assert!(replica.condition().await.is_good());
    older.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_build_here_knows_stops_the_projector_and_nobody_else() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let conversation = app.start_conversation(&ada).await;
    let (listed, position) = (
        format!("/v1/conversations/{conversation}"),
        Log::new(app.ground.pool().await).head().await.unwrap(),
    );
    app.get(&ada, &listed, position).await;
    for (event_type, version) in [("message_sung", "1"), ("message_posted", "2")] {
        assert!(!vocabulary::this_build(&from_the_future(
            event_type, version
        )));
    }
    let new = NewEvents {
        aggregate_type: "cookbook",
        aggregate_id: ambient::new_id(),
        expected: 0,
        subject: ada.account_id,
        event_type: "recipe_shared",
        event_version: "1",
        payloads: vec!["{}".to_owned()],
    };
    let mut events = app.ground.pool().await.acquire().await.unwrap();
    let unknown = new.append(&mut events).await;

    let replicas = app.ground.system().await.replicas();
    let mut found = None;
    until("the projector waits", async || {
        let mut snapshot = replicas.read(None).await.unwrap();
        let condition = operation::condition(&mut snapshot).await.unwrap();
        let waits = condition.waits.is_some();
        found = Some((condition, snapshot.position()));
        waits
    })
    .await;
    let (condition, shown) = found.unwrap();
    let waits = condition.waits.unwrap();
    assert_eq!(waits.position, unknown);
    assert!(
        waits.reason.contains("recipe_shared version 1"),
        "{}",
        waits.reason
    );
    assert_eq!(condition.quarantined_events, 0);
    assert_eq!(shown, unknown - 1);

    // Reading and writing go on; what was written is shown once a newer build has come.
    app.get(&ada, &listed, shown).await;
    let new = json!({"copilot": "growth_engine"});
    let (_, written) = app.post(&ada, "/v1/conversations", new, 201).await;
    assert!(written > unknown);
    assert_eq!(replicas.position().await.unwrap(), shown);
}

fn from_the_future(event_type: &str, version: &str) -> Recorded {
    serde_json::from_value(json!({
        "position": 1, "aggregate_type": "conversation", "aggregate_id": Uuid::nil(), "sequence": 1,
        "event_type": event_type, "event_version": version, "payload": {}, "metadata": {},
        "recorded_at": "2030-01-01T00:00:00Z",
    }))
    .unwrap()
}
