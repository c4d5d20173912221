//! Relays as processes of their own, between a log that is written to and a broker that is harmed.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use async_nats::jetstream::stream::Info;
use fido_commands::conversation::ConversationCommand;
use fido_commands::log::Log;
use fido_commands::{CommandContext, EventStore, ambient};
use fido_domain::conversation::{Conversation, Copilot};
use fido_domain::{Actor, Position, Recorded};
use fido_nats::relay::RelayStatus;
use futures::StreamExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinSet;

use crate::ground::Ground;
use crate::until::until;

/// Commands in flight at the same time.
const WRITERS: usize = 64;

/// A `fido relay`.
pub(super) struct Relay {
    process: Child,
    said: Arc<Mutex<String>>,
}

impl Relay {
    pub(super) fn start(ground: &Ground) -> Self {
        let mut command = ground.command(&["relay"]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(String::new()));
        let heard = said.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut said = heard.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        Self { process, said }
    }

    /// Waits until it has logged `words`.
    pub(super) async fn says(&self, words: &str) {
        until(words, async || self.said().contains(words)).await;
    }

    /// Everything that it has logged.
    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Stops or continues it, as the machine may.
    pub(super) fn signal(&self, signal: Signal) {
        send(self.process.id().unwrap(), signal);
    }

    /// Ends it with SIGKILL.
    pub(super) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }
}

pub(super) fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

pub(super) async fn log(ground: &Ground) -> Log {
    Log::new(ground.pool().await)
}

/// Appends `events` events, as people do who start conversations.
pub(super) async fn write(store: &EventStore, events: usize) {
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let store = store.clone();
        let mine = (n..events).step_by(WRITERS).count();
        writers.spawn(async move {
            for _ in 0..mine {
                start_conversation(&store).await;
            }
        });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
}

async fn start_conversation(store: &EventStore) {
    let account_id = ambient::new_id();
    let command = ConversationCommand::StartConversation {
        account_id,
        copilot: Copilot::GrowthEngine,
        goal: None,
        plan_id: None,
    };
    let context = CommandContext::new(Actor::user(account_id), account_id);
    let id = ambient::new_id();
    let started = store.execute::<Conversation>(id, command, &context).await;
    started.unwrap();
}

/// Brings a log that holds one event to `head`, with copies of it in streams of their own.
pub(super) async fn fill(ground: &Ground, head: Position) {
    let mut owner = PgConnection::connect(&ground.events_owner_url)
        .await
        .unwrap();
    let mut transaction = owner.begin().await.unwrap();
    sqlx::query(
        "insert into events (position, aggregate_type, aggregate_id, sequence, event_type, \
                             event_version, payload, metadata, recorded_at) \
         select n, e.aggregate_type, '00000000-0000-7000-8000-' || lpad(n::text, 12, '0'), 1, \
                e.event_type, e.event_version, e.payload, e.metadata, e.recorded_at \
           from generate_series(2, $1) as n, events as e where e.position = 1",
    )
    .bind(head)
    .execute(&mut *transaction)
    .await
    .unwrap();
    sqlx::query("update log_head set position = $1")
        .bind(head)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

/// Appends an event of a kind that this build does not know, as a newer one would.
pub(super) async fn append_unknown(ground: &Ground) {
    let mut owner = PgConnection::connect(&ground.events_owner_url)
        .await
        .unwrap();
    sqlx::raw_sql(
        "with head as (update log_head set position = position + 1 returning position, recorded_at) \
         insert into events (position, aggregate_type, aggregate_id, sequence, event_type, \
                             event_version, payload, metadata, recorded_at) \
         select position, 'balloon', '00000000-0000-7000-8000-00000000ba11', 1, 'balloon_risen', \
                '7.3', '{\"to\": [1e5]}', '{\"of\":\"tomorrow\"}', recorded_at from head",
    )
    .execute(&mut owner)
    .await
    .unwrap();
}

/// The event stream, while there is one and a broker that can be asked.
pub(super) async fn stream(ground: &Ground) -> Option<Info> {
    let broker = ground.jetstream().await;
    let stream = broker.get_stream("FIDO_EVENTS").await.ok()?;
    Some(stream.cached_info().clone())
}

/// Waits until the stream ends at `position` or later.
pub(super) async fn published(ground: &Ground, position: Position) {
    let wanted = u64::try_from(position).unwrap();
    until("the stream has come so far", async || {
        let stream = stream(ground).await;
        stream.is_some_and(|stream| stream.state.last_sequence >= wanted)
    })
    .await;
}

/// What relays answer.
pub(super) async fn relays(ground: &Ground) -> Vec<RelayStatus> {
    ground.operator().await.nats().relays().await.unwrap()
}

/// The stream ends where the log does, and carries exactly what the log holds from `first` on, each
/// event once and under its position.
pub(crate) async fn is_the_log_from(ground: &Ground, first: Position) {
    let log = log(ground).await;
    let head = log.head().await.unwrap();
    published(ground, head).await;
    let events = log.after(first - 1, i64::MAX).await.unwrap();
    let info = stream(ground).await.unwrap();
    let number = |position: Position| u64::try_from(position).unwrap();
    assert_eq!(info.config.first_sequence.unwrap_or(1), number(first));
    assert_eq!(info.state.first_sequence, number(first));
    assert_eq!(info.state.last_sequence, number(head));
    assert_eq!(info.state.messages, events.len() as u64);

    let mut messages = ground.messages().await;
    for event in &events {
        let message = messages.next().await.unwrap().unwrap();
        let sequence = message.info().unwrap().stream_sequence;
        assert_eq!(sequence, number(event.position));
        let carried: Recorded = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(carried.position, event.position);
        assert_eq!(carried.aggregate_id, event.aggregate_id);
        assert_eq!(carried.sequence, event.sequence);
        assert_eq!(carried.payload.get(), event.payload.get());
        assert_eq!(carried.metadata.get(), event.metadata.get());
    }
}
