//! A history in which everything happens that can: people and workers ask for one thing or another at
//! random, and what is not refused is in the log.

use fastrand::Rng;
use fido_commands::account::{AccountCommand, PreferenceChanges, ProfileChanges, ProvenIdentity};
use fido_commands::conversation::ConversationCommand;
use fido_commands::log::Log;
use fido_commands::plan::{Change, Changes, Given, PlanCommand};
use fido_commands::{CommandContext, Decide, EventStore, ExecuteError, ambient};
use fido_domain::account::{
    Account, Amount, BusinessType, CompanyName, CompanySize, Currency, DisplayName, Goals,
    ModelName, MonthlyRevenue, PolicyVersion, ProviderName, ResponseStyle, Temperature,
};
use fido_domain::conversation::{Conversation, Copilot, Goal, MessageText, Usage};
use fido_domain::plan::{
    FactKey, FactValue, Industry, Instructions, Plan, PlanTitle, Section, SectionText, Source,
    Stage, Summary,
};
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Recorded};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::ground::Ground;

/// What is asked of each thing that somebody owns.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) people: usize,
    pub(super) conversations: usize,
    pub(super) plans: usize,
    pub(super) commands: usize,
}

/// Lets it happen, everybody at once, and answers with the log.
pub(super) async fn history(ground: &Ground, seed: u64, size: Size) -> Vec<Recorded> {
    let store = ground.store().await;
    let mut people = JoinSet::new();
    for n in 0..size.people {
        let rng = Rng::with_seed(seed.wrapping_add(n as u64));
        people.spawn(Person::of(store.clone(), rng).live(n, size));
    }
    while let Some(lived) = people.join_next().await {
        lived.unwrap();
    }
    let log = Log::new(ground.pool().await);
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.position);
        let page = log.after(after, 5_000).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// The sections that are written at all, few, so that much happens to each.
const WRITTEN: [Section; 3] = [
    Section::MarketAnalysis,
    Section::FundingRequest,
    Section::OwnerBio,
];

struct Person {
    store: EventStore,
    rng: Rng,
    account_id: Uuid,
}

/// A conversation, as far as a worker has to know it.
struct Chat {
    id: Uuid,
    /// The reply that is awaited, and how many have begun it.
    open: Option<(Uuid, u32)>,
}

/// A plan, as far as its owner and a worker have to know it.
struct Draft {
    id: Uuid,
    /// The latest generation, and how many have begun it.
    generation: (Uuid, u32),
    archived: bool,
}

impl Person {
    fn of(store: EventStore, rng: Rng) -> Self {
        let account_id = ambient::new_id();
        Self {
            store,
            rng,
            account_id,
        }
    }

    async fn live(mut self, n: usize, size: Size) {
        let register = AccountCommand::RegisterAccount {
            email: EmailAddress::parse(format!("person{n}@example.com")).unwrap(),
            display_name: DisplayName::parse("Ada").unwrap(),
        };
        self.ask::<Account>(self.account_id, register).await;
        let mut plans = Vec::new();
        for _ in 0..size.plans {
            plans.push(self.start_plan().await);
        }
        let mut chats = Vec::new();
        for _ in 0..size.conversations {
            let about = self.rng.choice(&plans).map(|plan| plan.id);
            chats.push(self.start_chat(about).await);
        }
        for _ in 0..size.commands {
            for chat in &mut chats {
                self.go_on_with_chat(chat).await;
            }
            for plan in &mut plans {
                self.go_on_with_plan(plan).await;
            }
            let command = self.something_about_themselves();
            self.ask::<Account>(self.account_id, command).await;
        }
        if self.rng.u8(..10) == 0 {
            self.ask::<Account>(self.account_id, AccountCommand::EraseAccount)
                .await;
        }
    }

    fn something_about_themselves(&mut self) -> AccountCommand {
        match self.rng.u8(..4) {
            0 => AccountCommand::ReviseProfile {
                changes: ProfileChanges {
                    display_name: self.rng.bool().then(|| DisplayName::parse("A.").unwrap()),
                    company_name: self.change(CompanyName::parse("The bakery").unwrap()),
                    business_type: self.change(BusinessType::parse("Bakery").unwrap()),
                    company_size: self.change(CompanySize::UpTo10),
                    monthly_revenue: self.change(MonthlyRevenue::new(
                        Amount::parse("900.50").unwrap(),
                        Currency::parse("EUR").unwrap(),
                    )),
                    goals: self.change(Goals::parse("A second shop").unwrap()),
                },
            },
            1 => AccountCommand::ChoosePreferences {
                changes: PreferenceChanges {
                    model: self.change(ModelName::parse("large").unwrap()),
                    response_style: self.change(ResponseStyle::Concise),
                    temperature: self.change(Temperature::parse(0.7).unwrap()),
                    save_history: self.change(false),
                },
            },
            2 => AccountCommand::LinkIdentity {
                identity: ProvenIdentity {
                    provider: ProviderName::parse(["one", "two"][self.rng.usize(..2)]).unwrap(),
                    issuer: "https://id.example".to_owned(),
                    subject: self.account_id.to_string(),
                },
            },
            _ => {
                let version = self.rng.u8(..20).to_string();
                let policy_version = PolicyVersion::parse(version).unwrap();
                if self.rng.bool() {
                    AccountCommand::GiveConsent { policy_version }
                } else {
                    AccountCommand::WithdrawConsent { policy_version }
                }
            }
        }
    }

    fn change<T>(&mut self, to: T) -> Change<T> {
        match self.rng.u8(..3) {
            0 => Change::Keep,
            1 => Change::Clear,
            _ => Change::To(to),
        }
    }

    /// Whether it was done; most refusals are as they should be.
    async fn ask<S: Decide>(&mut self, id: Uuid, command: S::Command) -> bool
    where
        S::Command: Clone,
    {
        let actor = match self.rng.u8(..3) {
            0 => Actor::system("copilot"),
            _ => Actor::user(self.account_id),
        };
        let context = CommandContext::new(actor, self.account_id);
        match self.store.execute::<S>(id, command, &context).await {
            Ok(committed) => !committed.events.is_empty(),
            Err(ExecuteError::Refused(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn start_chat(&mut self, plan_id: Option<Uuid>) -> Chat {
        let command = ConversationCommand::StartConversation {
            account_id: self.account_id,
            copilot: self.rng.choice(Copilot::ALL).unwrap(),
            goal: self.rng.bool().then(|| Goal::parse("Grow").unwrap()),
            plan_id: plan_id.filter(|_| self.rng.bool()),
        };
        let id = ambient::new_id();
        assert!(self.ask::<Conversation>(id, command).await);
        Chat { id, open: None }
    }

    async fn go_on_with_chat(&mut self, chat: &mut Chat) {
        let account_id = self.account_id;
        let id = chat.id;
        if self.rng.u8(..100) == 0 {
            let erase = ConversationCommand::EraseConversation { account_id };
            self.ask::<Conversation>(id, erase).await;
            return;
        }
        let Some((reply_id, attempt)) = chat.open else {
            let reply_id = ambient::new_id();
            let post = ConversationCommand::PostMessage {
                account_id,
                message_id: ambient::new_id(),
                reply_id,
                text: MessageText::parse("How do I begin?").unwrap(),
            };
            if self.ask::<Conversation>(id, post).await {
                chat.open = Some((reply_id, 0));
            }
            return;
        };
        if attempt == 0 || self.rng.u8(..6) == 0 {
            let start = ConversationCommand::StartReply { reply_id };
            if self.ask::<Conversation>(id, start).await {
                chat.open = Some((reply_id, attempt + 1));
            }
            return;
        }
        let outcome = if self.rng.u8(..6) == 0 {
            ConversationCommand::FailReply {
                reply_id,
                attempt,
                reason: "timeout_first_token".to_owned(),
            }
        } else {
            ConversationCommand::RecordReply {
                reply_id,
                attempt,
                text: "Begin with the customers.".to_owned(),
                model: self.model(),
                usage: self.usage(),
            }
        };
        if self.ask::<Conversation>(id, outcome).await {
            chat.open = None;
        }
    }

    async fn start_plan(&mut self) -> Draft {
        let command = PlanCommand::StartPlan {
            account_id: self.account_id,
            given: Given {
                title: PlanTitle::parse("The bakery").unwrap(),
                business_name: None,
                industry: self.rng.bool().then(|| Industry::parse("Bread").unwrap()),
                location: None,
                stage: self.rng.choice(Stage::ALL),
                summary: self.rng.bool().then(|| Summary::parse("Rye").unwrap()),
            },
        };
        let id = ambient::new_id();
        assert!(self.ask::<Plan>(id, command).await);
        Draft {
            id,
            generation: (Uuid::nil(), 0),
            archived: false,
        }
    }

    async fn go_on_with_plan(&mut self, plan: &mut Draft) {
        let account_id = self.account_id;
        if plan.archived || self.rng.u8(..40) == 0 {
            let command = if plan.archived {
                PlanCommand::RestorePlan { account_id }
            } else {
                PlanCommand::ArchivePlan { account_id }
            };
            if self.ask::<Plan>(plan.id, command).await {
                plan.archived = !plan.archived;
            }
            return;
        }
        let command = if self.rng.bool() {
            self.of_generation(plan.generation)
        } else {
            self.of_plan()
        };
        if !self.ask::<Plan>(plan.id, command.clone()).await {
            return;
        }
        if let PlanCommand::RequestGeneration { generation_id, .. } = command {
            plan.generation = (generation_id, 0);
        } else if let PlanCommand::StartGeneration { .. } = command {
            plan.generation.1 += 1;
        }
    }

    fn of_generation(&mut self, (generation_id, attempt): (Uuid, u32)) -> PlanCommand {
        let account_id = self.account_id;
        let section = self.rng.choice(WRITTEN).unwrap();
        match self.rng.u8(..20) {
            0..5 => PlanCommand::RequestGeneration {
                account_id,
                generation_id: ambient::new_id(),
                sections: Some(WRITTEN.to_vec()),
                instructions: self
                    .rng
                    .bool()
                    .then(|| Instructions::parse("Be short").unwrap()),
            },
            5..9 => PlanCommand::StartGeneration { generation_id },
            9..15 => PlanCommand::RecordGeneratedSection {
                generation_id,
                attempt,
                section,
                text: self.section_text(),
                model: self.model(),
                usage: self.usage(),
            },
            15..18 => PlanCommand::FailGeneratedSection {
                generation_id,
                attempt,
                section,
                reason: "refused".to_owned(),
                model: None,
                usage: self.rng.bool().then(|| self.usage()),
            },
            18 => PlanCommand::FailGeneration {
                generation_id,
                attempt,
                reason: "deadline".to_owned(),
            },
            _ => PlanCommand::CancelGeneration {
                account_id,
                generation_id,
            },
        }
    }

    fn of_plan(&mut self) -> PlanCommand {
        let account_id = self.account_id;
        let section = self.rng.choice(WRITTEN).unwrap();
        match self.rng.u8(..11) {
            0 => PlanCommand::DescribePlan {
                account_id,
                changes: self.changes(),
            },
            1 => PlanCommand::DraftSection {
                account_id,
                section,
                based_on: self.rng.u32(..4),
                text: self.section_text(),
                model: self.model(),
                conversation_id: ambient::new_id(),
            },
            2 | 3 => PlanCommand::ReviseSection {
                account_id,
                section,
                expected: None,
                text: self.section_text(),
            },
            4 | 5 => PlanCommand::RestoreRevision {
                account_id,
                section,
                expected: None,
                revision: self.rng.u32(1..4),
            },
            6 => PlanCommand::ApproveSection {
                account_id,
                section,
                expected: None,
            },
            7 => PlanCommand::ReopenSection {
                account_id,
                section,
            },
            8 | 9 => PlanCommand::RecordFact {
                account_id,
                key: self.key(),
                value: FactValue::parse(format!("{} EUR", self.rng.u16(..))).unwrap(),
                source: Source::User,
                conversation_id: None,
            },
            _ => PlanCommand::WithdrawFact {
                account_id,
                key: self.key(),
            },
        }
    }

    fn changes(&mut self) -> Changes {
        let mut changes = Changes::default();
        match self.rng.u8(..5) {
            0 => changes.title = Some(PlanTitle::parse("The mill").unwrap()),
            1 => changes.industry = Change::Clear,
            2 => changes.industry = Change::To(Industry::parse("Flour").unwrap()),
            3 => changes.stage = Change::Clear,
            _ => {
                changes.stage = Change::To(Stage::Growth);
                changes.summary = Change::Clear;
            }
        }
        changes
    }

    fn section_text(&mut self) -> SectionText {
        SectionText::parse(format!("There are {} customers.", self.rng.u32(..))).unwrap()
    }

    fn key(&mut self) -> FactKey {
        let key = self.rng.choice(["monthly_rent", "staff", "ovens"]);
        FactKey::parse(key.unwrap()).unwrap()
    }

    fn model(&mut self) -> String {
        self.rng.choice(["large", "small"]).unwrap().to_owned()
    }

    fn usage(&mut self) -> Usage {
        Usage {
            input_tokens: self.rng.u32(..1_000),
            output_tokens: self.rng.u32(..1_000),
        }
    }
}
