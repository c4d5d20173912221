//! People who write all the time, and what they were told. Commands go on whatever is killed, and none
//! of them may fail: neither the event store nor whoever serves is touched.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use fido_commands::conversation::ConversationCommand;
use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, Decide, EventStore, ambient};
use fido_domain::conversation::{Conversation, Usage};
use fido_domain::plan::{Plan, PlanTitle, Section, SectionText};
use fido_domain::{Actor, Position};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::scene::Scene;
use crate::until::until;

const WRITERS: usize = 8;
/// How often each of them does something: one to three commands.
const PACE: Duration = Duration::from_millis(40);

/// A command that was acknowledged.
#[derive(Debug)]
pub(super) struct Done {
    /// Where its last event stands.
    pub(super) position: Position,
    /// How many events it has.
    pub(super) events: i64,
    pub(super) stream: Uuid,
    /// What the first event is about, when it is not the stream.
    pub(super) names: Option<Uuid>,
    /// A message or a reply that everybody must see.
    pub(super) shows: Option<Uuid>,
}

/// Somebody who writes.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: Uuid,
    pub(super) token: String,
    acknowledged: AtomicI64,
}

impl Account {
    /// The last position that was acknowledged.
    pub(super) fn acknowledged(&self) -> Position {
        self.acknowledged.load(Ordering::SeqCst)
    }
}

/// All who write.
pub(super) struct Writers {
    pub(super) accounts: Vec<Arc<Account>>,
    commands: Arc<AtomicUsize>,
    end: CancellationToken,
    tasks: JoinSet<Vec<Done>>,
}

impl Writers {
    pub(super) async fn begin(scene: &Scene, http: &reqwest::Client, rng: &mut Rng) -> Self {
        let store = scene.ground.store().await;
        let mut writers = Self {
            accounts: Vec::new(),
            commands: Arc::default(),
            end: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        for n in 0..WRITERS {
            let mut writer = Writer {
                http: http.clone(),
                bases: scene.bases(),
                store: store.clone(),
                rng: rng.fork(),
                account: Arc::new(Account {
                    id: Uuid::nil(),
                    token: String::new(),
                    acknowledged: AtomicI64::new(0),
                }),
                conversations: Vec::new(),
                plan: ambient::new_id(),
                commands: Arc::clone(&writers.commands),
                done: Vec::new(),
            };
            writer.arrive(n).await;
            writers.accounts.push(Arc::clone(&writer.account));
            writers.tasks.spawn(writer.write(writers.end.clone()));
        }
        writers
    }

    /// How many commands were acknowledged.
    pub(super) fn commands(&self) -> usize {
        self.commands.load(Ordering::SeqCst)
    }

    /// Waits until so many more were.
    pub(super) async fn more(&self, commands: usize) {
        let wanted = self.commands() + commands;
        until("commands go on", async || self.commands() >= wanted).await;
    }

    /// Ends writing; everything that was acknowledged.
    pub(super) async fn end(self) -> Vec<Done> {
        self.end.cancel();
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

struct Writer {
    http: reqwest::Client,
    bases: Vec<String>,
    store: EventStore,
    rng: Rng,
    account: Arc<Account>,
    conversations: Vec<Uuid>,
    plan: Uuid,
    commands: Arc<AtomicUsize>,
    done: Vec<Done>,
}

impl Writer {
    /// Registers, and starts a plan and a conversation.
    async fn arrive(&mut self, n: usize) {
        let registration = json!({
            "email": format!("writer{n}@example.com"),
            "password": "correct horse",
            "display_name": format!("Writer {n}"),
        });
        let (welcome, position) = self.post("/v1/accounts", registration, 201).await;
        let id = id(&welcome["account"]["id"]);
        self.account = Arc::new(Account {
            id,
            token: welcome["token"].as_str().unwrap().to_owned(),
            acknowledged: AtomicI64::new(0),
        });
        self.acknowledge(Done {
            position,
            events: 1,
            stream: id,
            names: None,
            shows: None,
        });
        let start = PlanCommand::StartPlan {
            account_id: id,
            given: Given {
                title: PlanTitle::parse("A bakery").unwrap(),
                business_name: None,
                industry: None,
                location: None,
                stage: None,
                summary: None,
            },
        };
        self.give::<Plan>(self.plan, start, None, None).await;
        self.start_conversation().await;
    }

    async fn write(mut self, end: CancellationToken) -> Vec<Done> {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !end.is_cancelled() {
            pace.tick().await;
            match self.rng.u32(..10) {
                0..2 => self.start_conversation().await,
                2..7 => self.talk().await,
                _ => self.revise().await,
            }
        }
        self.done
    }

    async fn start_conversation(&mut self) {
        let copilot = json!({"copilot": "growth_engine"});
        let (started, position) = self.post("/v1/conversations", copilot, 201).await;
        let stream = id(&started["id"]);
        self.conversations.push(stream);
        self.acknowledge(Done {
            position,
            events: 1,
            stream,
            names: None,
            shows: None,
        });
    }

    /// A question over HTTP, and its answer as a co-pilot gives one.
    async fn talk(&mut self) {
        let stream = self.conversations[self.rng.usize(..self.conversations.len())];
        let path = format!("/v1/conversations/{stream}/messages");
        let text = json!({"text": "How do I find customers?"});
        let (posted, position) = self.post(&path, text, 202).await;
        let message_id = id(&posted["message"]["id"]);
        let reply_id = id(&posted["reply"]["id"]);
        self.acknowledge(Done {
            position,
            events: 2,
            stream,
            names: Some(message_id),
            shows: Some(message_id),
        });
        let start = ConversationCommand::StartReply { reply_id };
        self.give::<Conversation>(stream, start, Some(reply_id), Some(reply_id))
            .await;
        let record = ConversationCommand::RecordReply {
            reply_id,
            attempt: 1,
            text: "Where do they live?".to_owned(),
            model: "test".to_owned(),
            usage: Usage {
                input_tokens: 7,
                output_tokens: 4,
            },
        };
        self.give::<Conversation>(stream, record, Some(reply_id), None)
            .await;
    }

    async fn revise(&mut self) {
        let revise = PlanCommand::ReviseSection {
            account_id: self.account.id,
            section: Section::MarketAnalysis,
            expected: None,
            text: SectionText::parse(format!("Version {}", self.done.len())).unwrap(),
        };
        self.give::<Plan>(self.plan, revise, None, None).await;
    }

    /// A command with one event.
    async fn give<S>(
        &mut self,
        stream: Uuid,
        command: S::Command,
        names: Option<Uuid>,
        shows: Option<Uuid>,
    ) where
        S: Decide,
        S::Command: Clone,
        S::Refusal: std::fmt::Debug,
    {
        let context = CommandContext::new(Actor::user(self.account.id), self.account.id);
        let committed = self.store.execute::<S>(stream, command, &context).await;
        self.acknowledge(Done {
            position: committed.unwrap().position,
            events: 1,
            stream,
            names,
            shows,
        });
    }

    async fn post(&mut self, path: &str, body: Value, status: u16) -> (Value, Position) {
        let base = &self.bases[self.rng.usize(..self.bases.len())];
        let mut request = self.http.post(format!("{base}{path}")).json(&body);
        if !self.account.token.is_empty() {
            request = request.bearer_auth(&self.account.token);
        }
        let response = request.send().await.unwrap();
        let found = response.status();
        let position = response.headers().get("fido-position").cloned();
        let body: Value = response.json().await.unwrap();
        assert_eq!(found, status, "{path}: {body}");
        (body, position.unwrap().to_str().unwrap().parse().unwrap())
    }

    fn acknowledge(&mut self, done: Done) {
        let acknowledged = &self.account.acknowledged;
        acknowledged.store(done.position, Ordering::SeqCst);
        self.done.push(done);
        self.commands.fetch_add(1, Ordering::SeqCst);
    }
}

fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}
