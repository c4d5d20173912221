//! Things that happen: accounts, conversations and plans, side by side.

use fido_commands::account::AccountCommand;
use fido_commands::conversation::ConversationCommand;
use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, Decide, EventStore, ambient};
use fido_domain::account::{Account, DisplayName};
use fido_domain::conversation::{Conversation, Copilot, MessageText, Usage};
use fido_domain::plan::{Plan, PlanTitle, Section, SectionText};
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Position};
use tokio::task::JoinSet;
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
}
