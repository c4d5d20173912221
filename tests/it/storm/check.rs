//! After the storm: the log is what was acknowledged, and everybody has seen exactly that.

use std::collections::{HashMap, HashSet};

use fido_domain::{Position, Recorded};
use serde_json::Value;
use uuid::Uuid;

use super::listeners::{Heard, Listener};
use super::scene::Scene;
use super::script::REPLICAS;
use super::writers::Done;
use crate::relay::scene::is_the_log_from;
use crate::replica_scene::fido;

/// The log holds every acknowledged command exactly once, and nothing else; positions are dense, and
/// so is every stream.
pub(super) fn log_is_what_was_acknowledged(log: &[Recorded], done: &[Done]) {
    let mut sequences: HashMap<(&str, Uuid), i64> = HashMap::new();
    for (event, position) in log.iter().zip(1..) {
        assert_eq!(event.position, position, "positions are dense");
        let stream = (event.aggregate_type.as_str(), event.aggregate_id);
        let sequence = sequences.entry(stream).or_default();
        *sequence += 1;
        assert_eq!(event.sequence, *sequence, "every stream is dense");
    }
    let mut places: HashMap<Position, &Done> = HashMap::new();
    for command in done {
        for position in command.position - command.events + 1..=command.position {
            let other = places.insert(position, command);
            assert!(other.is_none(), "two at {position}: {other:?}, {command:?}");
        }
    }
    for event in log {
        let command = places.remove(&event.position);
        let command = command.unwrap_or_else(|| panic!("nobody gave {event:?}"));
        assert_eq!(event.aggregate_id, command.stream, "{command:?}");
        let is_first = event.position == command.position - command.events + 1;
        if let (Some(id), true) = (command.names, is_first) {
            let payload = event.payload.get();
            assert!(payload.contains(&id.to_string()), "{command:?}: {payload}");
        }
    }
    assert!(places.is_empty(), "acknowledged and lost: {places:?}");
}

/// The client has heard every event of its account once, in order.
pub(super) fn heard_everything(log: &[Recorded], listener: &Listener) {
    let account = listener.account.id;
    let told = |event: &&Recorded| event.metadata().unwrap().subject == account;
    let wanted: Vec<Heard> = log.iter().filter(told).map(as_heard).collect();
    for (heard, wanted) in listener.heard.iter().zip(&wanted) {
        assert_eq!(heard, wanted, "a client of {account} missed something");
    }
    assert_eq!(listener.heard.len(), wanted.len());
}

fn as_heard(event: &Recorded) -> Heard {
    Heard {
        position: event.position,
        stream: event.aggregate_id,
        sequence: event.sequence,
        name: format!("{}.{}", event.aggregate_type, event.event_type),
    }
}

/// The stream is the log, everything is healthy and nothing behind; every replica shows every
/// acknowledged command, and all of them and a fresh replay are equal.
pub(super) async fn everybody_shows_it(scene: &Scene, head: Position, done: &[Done]) {
    is_the_log_from(&scene.ground, 1).await;
    let status = answer(scene.ground.command(&["status", "--json"])).await;
    assert_eq!(status["head"], head);
    assert_eq!(status["stream"]["last"], head);
    assert_eq!(status["diverged_at"], Value::Null);
    let replicas = status["replicas"].as_array().unwrap();
    assert_eq!(replicas.len(), REPLICAS);
    for replica in replicas {
        assert_eq!(replica["health"], "green", "{replica}");
        assert_eq!(replica["lag"], 0, "{replica}");
    }

    let acknowledged: HashSet<Uuid> = done.iter().filter_map(|done| done.shows).collect();
    for pool in scene.pools() {
        let quarantined: i64 = sqlx::query_scalar("select count(*) from quarantine")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(quarantined, 0);
        let positions: Vec<Position> =
            sqlx::query_scalar("select position from timeline order by position")
                .fetch_all(pool)
                .await
                .unwrap();
        assert!(positions.into_iter().eq(1..=head), "dense, each once");
        let shown: Vec<Uuid> = sqlx::query_scalar("select message_id from messages")
            .fetch_all(pool)
            .await
            .unwrap();
        assert_eq!(shown.len(), acknowledged.len());
        assert_eq!(HashSet::from_iter(shown), acknowledged);
    }

    let (first, others) = scene.replicas.split_first().unwrap();
    let verify = async |replica, against: &[&str]| {
        let arguments = [&["replica", "verify", "--json"], against].concat();
        let verified = answer(fido(&scene.ground, replica, &arguments)).await;
        assert_eq!(verified["equal"], true, "{verified}");
        assert_eq!(verified["position"], head);
    };
    verify(first, &["--fresh"]).await;
    for other in others {
        verify(other, &["--against", &first.url]).await;
    }
}

/// What a command of the binary prints, which must succeed.
async fn answer(mut command: tokio::process::Command) -> Value {
    let output = command.output().await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}
