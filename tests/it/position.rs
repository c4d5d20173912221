//! One number everywhere: position in the log = sequence in the stream = checkpoint = SSE id.

use std::collections::{BTreeMap, HashMap};

use fido_commands::conversation::{ConversationCommand, ConversationRefusal};
use fido_commands::log::Log;
use fido_commands::{CommandContext, Committed, EventStore, ExecuteError};
use fido_domain::conversation::{Conversation, Copilot, MessageText};
use fido_domain::{Actor, Recorded};
use fido_projections::ReadError;
use futures::StreamExt;
use sqlx::PgPool;
use uuid::Uuid;

use crate::app::TestApp;
use crate::ground::Ground;
use crate::sse::Sse;

const WRITERS: usize = 20;
const COMMANDS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn the_position_is_the_same_everywhere() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let pool = PgPool::connect(&app.ground.addresses.events_url)
        .await
        .unwrap();
    let shared: Vec<Uuid> = (0..4).map(|n| Uuid::from_u128(0x1_0000 + n)).collect();

    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = app.ground.store().await;
        let shared = shared.clone();
        writers.spawn(async move {
            for n in 0..COMMANDS {
                // Every third command is for one of four streams that all writers share: start it,
                // or, when somebody has, begin its reply anew; the others are streams of their own.
                let own = fido_commands::ambient::new_id();
                let id = if n % 3 == 0 {
                    shared[(writer + n) % 4]
                } else {
                    own
                };
                write(&store, ada.account_id, id).await;
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }

    let log = Log::new(pool.clone());
    let head = log.head().await.unwrap();
    assert!(head >= 1_000, "only {head} events");
    let events = log.after(0, i64::MAX).await.unwrap();
    dense(&events, head);
    contiguous(&events);
    in_the_stream(&app.ground, &events).await;

    // The replica comes to exactly the head, and says so.
    let replica = app.ground.system().await.replicas();
    let reached = loop {
        match replica.read(Some(head)).await {
            Err(ReadError::Behind { .. }) => {}
            reached => break reached.unwrap(),
        }
    };
    assert_eq!(reached.position(), head);

    // What the account's stream brings are its events, under their positions.
    let expected: Vec<i64> = events
        .iter()
        .filter(|event| event.metadata().unwrap().subject == ada.account_id)
        .map(|event| event.position)
        .collect();
    let mut stream = Sse::open(&app.http, app.url("/v1/stream?after=0"), &ada.token, None).await;
    stream.next_named("hello").await;
    for position in expected {
        let event = stream.next().await;
        assert_eq!(event.id, Some(position));
        assert_eq!(event.data["position"], position);
    }
}

/// A conflict with another writer is the store's business, never the caller's: what is not recorded
/// is refused for a reason.
fn recorded_or_refused<E>(
    outcome: Result<Committed<E>, ExecuteError<ConversationRefusal>>,
) -> bool {
    match outcome {
        Ok(_) => true,
        Err(ExecuteError::Refused(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

/// Writes to the stream `id`, whatever state it is in.
async fn write(store: &EventStore, account_id: Uuid, id: Uuid) {
    let context = || CommandContext::new(Actor::user(account_id), account_id);
    let start = ConversationCommand::StartConversation {
        account_id,
        copilot: Copilot::GrowthEngine,
        goal: None,
        plan_id: None,
    };
    // Refused where somebody was first, which is just what makes the stream a shared one.
    recorded_or_refused(store.execute::<Conversation>(id, start, &context()).await);
    let reply_id = Uuid::from_u128(7);
    let post = ConversationCommand::PostMessage {
        account_id,
        message_id: fido_commands::ambient::new_id(),
        reply_id,
        text: MessageText::parse("Hello").unwrap(),
    };
    // Refused while the shared stream's reply is open; then its next attempt begins instead.
    if !recorded_or_refused(store.execute::<Conversation>(id, post, &context()).await) {
        let again = ConversationCommand::StartReply { reply_id };
        let again = store.execute::<Conversation>(id, again, &context()).await;
        assert!(
            recorded_or_refused(again),
            "a shared stream's reply stays open"
        );
    }
}

fn dense(events: &[Recorded], head: i64) {
    let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].recorded_at <= pair[1].recorded_at),
        "time never goes back along positions"
    );
}

fn contiguous(events: &[Recorded]) {
    let mut streams: HashMap<Uuid, i64> = HashMap::new();
    for event in events {
        let last = streams.entry(event.aggregate_id).or_default();
        assert_eq!(event.sequence, *last + 1, "{}", event.aggregate_id);
        *last = event.sequence;
    }
}

async fn in_the_stream(ground: &Ground, events: &[Recorded]) {
    let mut messages = ground.messages().await;
    let mut carried = BTreeMap::new();
    while carried.len() < events.len() {
        let message = messages.next().await.unwrap().unwrap();
        let sequence = message.info().unwrap().stream_sequence;
        let event: Recorded = serde_json::from_slice(&message.payload).unwrap();
        carried.insert(i64::try_from(sequence).unwrap(), event);
    }
    for event in events {
        let brought = &carried[&event.position];
        assert_eq!(brought.position, event.position);
        assert_eq!(brought.payload.get(), event.payload.get());
        assert_eq!(brought.metadata.get(), event.metadata.get());
    }
}
