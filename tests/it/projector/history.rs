//! Things that happen: accounts, conversations and plans, side by side.

use std::time::Duration;

use fido_commands::account::AccountCommand;
use fido_commands::conversation::ConversationCommand;
use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, Decide, EventStore, ambient};
use fido_domain::account::{Account, DisplayName};
use fido_domain::conversation::{Conversation, Copilot, MessageText, Usage};
use fido_domain::plan::{Plan, PlanTitle, Section, SectionText};
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Metadata, Position};
use sqlx::PgConnection;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Makes history.
#[derive(Clone)]
pub(super) struct History {
    store: EventStore,
}

/// Somebody, with something to write in.
#[derive(Clone, Copy)]
pub(super) struct Person {
    pub(super) account: Uuid,
    pub(super) conversation: Uuid,
    pub(super) plan: Uuid,
}

impl History {
    pub(super) fn new(store: EventStore) -> Self {
        Self { store }
    }

    async fn happen<S>(&self, account: Uuid, stream: Uuid, command: S::Command) -> Position
    where
        S: Decide,
        S::Command: Clone,
        S::Refusal: std::fmt::Debug,
    {
        let context = CommandContext::new(Actor::user(account), account);
        let committed = self.store.execute::<S>(stream, command, &context).await;
        committed.unwrap().position
    }

    /// Somebody new: three streams, an event each.
    pub(super) async fn person(&self) -> Person {
        let person = Person {
            account: ambient::new_id(),
            conversation: ambient::new_id(),
            plan: ambient::new_id(),
        };
        let account_id = person.account;
        let email = format!("{}@example.com", account_id.simple());
        let command = AccountCommand::RegisterAccount {
            email: EmailAddress::parse(email).unwrap(),
            display_name: DisplayName::parse("Ada").unwrap(),
        };
        self.happen::<Account>(account_id, account_id, command)
            .await;
        let command = ConversationCommand::StartConversation {
            account_id,
            copilot: Copilot::GrowthEngine,
            goal: None,
            plan_id: Some(person.plan),
        };
        self.happen::<Conversation>(account_id, person.conversation, command)
            .await;
        let command = PlanCommand::StartPlan {
            account_id,
            given: Given {
                title: PlanTitle::parse("A bakery").unwrap(),
                business_name: None,
                industry: None,
                location: None,
                stage: None,
                summary: None,
            },
        };
        self.happen::<Plan>(account_id, person.plan, command).await;
        person
    }

    /// A question and its answer: four events of the conversation.
    pub(super) async fn talk(&self, person: Person) -> Position {
        let account_id = person.account;
        let reply_id = ambient::new_id();
        let commands = [
            ConversationCommand::PostMessage {
                account_id,
                message_id: ambient::new_id(),
                reply_id,
                text: MessageText::parse("How do I find customers?").unwrap(),
            },
            ConversationCommand::StartReply { reply_id },
            ConversationCommand::RecordReply {
                reply_id,
                attempt: 1,
                text: "Where do they live?".to_owned(),
                model: "test".to_owned(),
                usage: Usage {
                    input_tokens: 7,
                    output_tokens: 4,
                },
            },
        ];
        let mut position = 0;
        for command in commands {
            let happened = self.happen::<Conversation>(account_id, person.conversation, command);
            position = happened.await;
        }
        position
    }

    /// A section of the plan is written: one event of the plan.
    pub(super) async fn write(&self, person: Person, n: u32) -> Position {
        let command = PlanCommand::ReviseSection {
            account_id: person.account,
            section: Section::MarketAnalysis,
            expected: None,
            text: SectionText::parse(format!("Version {n}")).unwrap(),
        };
        self.happen::<Plan>(person.account, person.plan, command)
            .await
    }

    /// The plan is laid aside: one event of the plan.
    pub(super) async fn archive(&self, person: Person) -> Position {
        let command = PlanCommand::ArchivePlan {
            account_id: person.account,
        };
        self.happen::<Plan>(person.account, person.plan, command)
            .await
    }

    /// `people` live side by side for `days`: 3 events each, and 5 a day.
    pub(super) async fn live(&self, people: usize, days: u32) -> Vec<Person> {
        let mut lives = JoinSet::new();
        for _ in 0..people {
            let history = self.clone();
            lives.spawn(async move {
                let person = history.person().await;
                for day in 1..=days {
                    history.talk(person).await;
                    history.write(person, day).await;
                }
                person
            });
        }
        lives.join_all().await
    }

    /// Six people talk ten times a second until `end`.
    pub(super) fn go_on(&self, end: CancellationToken) -> JoinHandle<()> {
        let history = self.clone();
        tokio::spawn(async move {
            let mut lives = JoinSet::new();
            for _ in 0..6 {
                let (history, end) = (history.clone(), end.clone());
                lives.spawn(async move {
                    let person = history.person().await;
                    let mut pace = interval(Duration::from_millis(100));
                    while !end.is_cancelled() {
                        pace.tick().await;
                        history.talk(person).await;
                    }
                });
            }
            lives.join_all().await;
        })
    }
}

/// Events that no command of this build would decide on, appended as they are.
pub(super) struct NewEvents {
    pub(super) aggregate_type: &'static str,
    pub(super) aggregate_id: Uuid,
    /// How long the stream is.
    pub(super) expected: i64,
    pub(super) subject: Uuid,
    pub(super) event_type: &'static str,
    pub(super) event_version: &'static str,
    pub(super) payloads: Vec<String>,
}

impl NewEvents {
    /// Where the first of them stands.
    pub(super) async fn append(self, events: &mut PgConnection) -> Position {
        let id = ambient::new_id();
        let metadata = Metadata {
            actor: Actor::system("test"),
            subject: self.subject,
            command_id: id,
            correlation_id: id,
            causation_id: None,
            request_id: None,
            address: None,
            user_agent: None,
            issued_at: ambient::now(),
            model: None,
            provider: None,
            prompt_hash: None,
        };
        let count = self.payloads.len();
        sqlx::query_scalar(
            "select first_position from append_events($1, 0, 0, 1, \
             array[$1], array[$2], array[$3], array[$4], array[$5], array[cardinality($6)]::bigint[], \
             array_fill(1, array[cardinality($6)]), \
             array(select generate_series(1, cardinality($6)))::bigint[], \
             $6, $7, $8, $9, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
        )
        .bind(id)
        .bind(self.aggregate_type)
        .bind(self.aggregate_id.to_string())
        .bind(self.expected)
        .bind(self.subject)
        .bind(vec![self.event_type; count])
        .bind(vec![self.event_version; count])
        .bind(self.payloads)
        .bind(vec![serde_json::to_string(&metadata).unwrap(); count])
        .fetch_one(events)
        .await
        .unwrap()
    }
}
