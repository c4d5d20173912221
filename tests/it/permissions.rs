//! What the broker lets each role do: only the relay publishes events and touches their stream.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use async_nats::{Client, Event, ServerError};
use fido::seeds::Seeds;
use fido_nats::access::{Role, table};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::app::TestApp;
use crate::ground::{Ground, as_role};

/// Longer than the server ever takes to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What nobody may publish to.
const NOWHERE: &str = "fido.nowhere";

/// A connection as a role, and what the server refuses it.
struct Connection {
    client: Client,
    refusals: UnboundedReceiver<String>,
}

impl Connection {
    async fn open(ground: &Ground, role: Role) -> Self {
        let (refuse, refusals) = unbounded_channel();
        let client = as_role(&ground.nats, role)
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(error)) = event {
                    let _ = refuse.send(error.to_lowercase());
                }
                std::future::ready(())
            })
            .connect(ground.nats.url())
            .await
            .unwrap();
        Self { client, refusals }
    }

    /// Whether the server refuses `message` for `subject`.
    async fn is_refused(&mut self, subject: &str, message: &Value) -> bool {
        let body = message.to_string().into();
        let client = &self.client;
        let inbox = client.new_inbox();
        let sent = client.publish_with_reply(subject.to_owned(), inbox, body);
        sent.await.unwrap();
        self.has_refused(&format!("publish to \"{subject}\"")).await
    }

    /// Whether listening to `subject` is refused.
    async fn is_deaf_to(&mut self, subject: &str) -> bool {
        let _heard = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.has_refused(&format!("subscription to \"{subject}\""))
            .await
    }

    /// Whether the server has refused `what`. It answers in order: what it has not refused before
    /// something that it certainly refuses, it has taken.
    async fn has_refused(&mut self, what: &str) -> bool {
        self.client.publish(NOWHERE, "".into()).await.unwrap();
        let mut is_refused = false;
        loop {
            let refusal = tokio::time::timeout(PATIENCE, self.refusals.recv()).await;
            let refusal = refusal.expect("the server answers").unwrap();
            assert!(refusal.contains("permissions violation"), "{refusal}");
            if refusal.contains(NOWHERE) {
                return is_refused;
            }
            assert!(refusal.contains(&what.to_lowercase()), "{what}: {refusal}");
            is_refused = true;
        }
    }
}

/// Everything that would change the log in the stream, or the stream.
fn attacks() -> Vec<(&'static str, Value)> {
    let stream = json!({"name": "FIDO_EVENTS", "subjects": ["fido.events.>"]});
    vec![
        (
            "fido.events.00.conversation.conversation_started",
            json!({}),
        ),
        ("fido.events.07.plan.anything", json!({})),
        ("$JS.API.STREAM.DELETE.FIDO_EVENTS", json!({})),
        ("$JS.API.STREAM.PURGE.FIDO_EVENTS", json!({})),
        ("$JS.API.STREAM.UPDATE.FIDO_EVENTS", stream.clone()),
        ("$JS.API.STREAM.CREATE.FIDO_EVENTS", stream),
        (
            "$JS.API.STREAM.CREATE.OTHER",
            json!({"name": "OTHER", "subjects": ["fido.live.>"]}),
        ),
        ("$JS.API.STREAM.MSG.DELETE.FIDO_EVENTS", json!({"seq": 1})),
        ("$JS.API.STREAM.MSG.GET.FIDO_EVENTS", json!({"seq": 1})),
        (
            "$JS.API.STREAM.SNAPSHOT.FIDO_EVENTS",
            json!({"deliver_subject": "x"}),
        ),
        ("$JS.API.STREAM.RESTORE.FIDO_EVENTS", json!({})),
        ("$JS.API.CONSUMER.DELETE.FIDO_EVENTS.copilot", json!({})),
        (
            "$JS.API.CONSUMER.DELETE.FIDO_EVENTS.projector_replica1",
            json!({}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_relay_publishes_events_or_touches_their_stream() {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    app.start_conversation(&ada).await;
    let replicas = app.ground.system().await.replicas();
    let broker = app.ground.jetstream().await;
    let before = loop {
        let stream = broker.get_stream("FIDO_EVENTS").await.unwrap();
        let info = stream.cached_info().clone();
        if info.state.last_sequence == 2 && replicas.position().await.unwrap() == 2 {
            break info;
        }
    };
    for role in Role::ALL {
        let mut connection = Connection::open(&app.ground, role).await;
        for (subject, message) in attacks() {
            // The relay may not do everything either, but what it needs.
            let needs = ["fido.events.", "CREATE.FIDO", "STREAM.DELETE", "MSG.GET"];
            if role == Role::Relay && needs.iter().any(|needed| subject.contains(needed)) {
                continue;
            }
            let refused = connection.is_refused(subject, &message).await;
            assert!(refused, "{role} may publish to {subject}");
        }
        // A batch is refused like a message.
        if role != Role::Relay {
            let mut headers = async_nats::HeaderMap::new();
            headers.insert("Nats-Batch-Id", "forged");
            headers.insert("Nats-Batch-Sequence", "1");
            headers.insert("Nats-Batch-Commit", "1");
            let subject = "fido.events.00.plan.plan_started";
            let client = &connection.client;
            let sent = client
                .publish_with_headers(subject, headers, "{}".into())
                .await;
            sent.unwrap();
            let refused = connection
                .has_refused(&format!("publish to \"{subject}\""))
                .await;
            assert!(refused, "{role} may publish a batch");
        }
    }
    let stream = broker.get_stream("FIDO_EVENTS").await.unwrap();
    assert_eq!(stream.cached_info().config, before.config);
    let state = &stream.cached_info().state;
    assert_eq!(
        (state.messages, state.last_sequence),
        (before.state.messages, before.state.last_sequence)
    );
    // And the relay may: all of it has come through one.
    let (_, position) = app
        .post(
            &ada,
            "/v1/conversations",
            json!({"copilot": "growth_engine"}),
            201,
        )
        .await;
    app.get(&ada, "/v1/conversations", position).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_takes_the_work_or_reads_the_answers_of_another() {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    app.start_conversation(&ada).await;
    let connect = async |role| Connection::open(&app.ground, role).await;
    for role in Role::ALL {
        let mut connection = connect(role).await;
        for other in Role::ALL {
            let inbox = format!("{}.>", other.inbox_prefix());
            let deaf = connection.is_deaf_to(&inbox).await;
            assert_eq!(deaf, role != other, "{role} listens to {inbox}");
        }
        for (subject, hearers) in [
            (">", vec![]),
            ("fido.events.>", vec![]),
            ("fido.live.>", vec![Role::Api]),
            ("fido.appended", vec![Role::Relay, Role::Notary]),
            ("fido.relays", vec![Role::Relay]),
            ("fido.sessions.revoked", vec![Role::Api]),
            ("$JS.ACK.>", vec![]),
        ] {
            let deaf = connection.is_deaf_to(subject).await;
            assert_eq!(
                deaf,
                !hearers.contains(&role),
                "{role} listens to {subject}"
            );
        }
        let next = "$JS.API.CONSUMER.MSG.NEXT.FIDO_EVENTS.copilot";
        let ask = json!({"batch": 1, "no_wait": true});
        let refused = connection.is_refused(next, &ask).await;
        assert_eq!(refused, role != Role::Copilot, "{role} takes requests");
        let live = "fido.live.a.b.c";
        if role != Role::Copilot {
            assert!(
                connection.is_refused(live, &json!({})).await,
                "{role} forges tokens"
            );
        }
    }
    // Nor does a consumer deliver to where its maker may not publish events.
    let projector = connect(Role::Projector).await;
    let config = json!({
        "durable_name": "projector_forger",
        "deliver_subject": "fido.events.00.plan.plan_started",
        "ack_policy": "none",
    });
    let request = json!({"stream_name": "FIDO_EVENTS", "config": config});
    let create = "$JS.API.CONSUMER.CREATE.FIDO_EVENTS.projector_forger".to_owned();
    let client = &projector.client;
    let answer = client
        .request(create, request.to_string().into())
        .await
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer["error"]["err_code"], 10081, "a cycle: {answer}");
}

#[test]
fn the_page_on_permissions_shows_what_is_enforced() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("nats/permissions.md");
    let page = fs::read_to_string(page).unwrap();
    let table = table();
    assert!(
        page.contains(&table),
        "nats/permissions.md should have\n{table}"
    );
}

#[test]
fn the_printed_configuration_holds_public_keys_alone_and_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let print = |replicas: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fido"));
        command
            .args(["nats", "config", "--seeds"])
            .arg(folder.path());
        for replica in replicas {
            command.args(["--replica", replica]);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), text)
    };
    let (_, printed) = print(&[]);
    let seeds = Seeds::in_folder(folder.path());
    for role in Role::ALL {
        let seed = seeds.of(role).unwrap();
        assert!(printed.contains(seed.public_key()));
        assert!(!printed.contains(seed.expose()));
    }
    assert_eq!(print(&[]), (true, printed));
    let (_, narrow) = print(&["north"]);
    assert!(narrow.contains("\"$JS.API.CONSUMER.CREATE.FIDO_EVENTS.projector_north\""));
    assert!(narrow.contains("\"fido.replica.north\""));
    assert!(!print(&["no.rth"]).0, "a subject in disguise");
}
