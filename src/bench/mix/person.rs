//! One person and the co-pilots that work for them, command by command.

use std::collections::VecDeque;

use anyhow::{Context, Result};
use fido_commands::account::AccountCommand;
use fido_commands::{CommandContext, Decide, EventStore, Origin, ambient};
use fido_domain::account::{Account, DisplayName};
use fido_domain::plan::Section;
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Position};
use uuid::Uuid;

use super::planning::Planning;
use super::talk::Talk;

/// The model that is said to have answered.
pub(super) const MODEL: &str = "gpt-4o-mini";

/// What is done next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Register,
    Talk(Talk),
    Plan(Planning),
}

/// Somebody who uses Fido. How much they talk and plan depends on their number.
#[derive(Debug)]
pub(crate) struct Person {
    number: usize,
    pub(super) account: Uuid,
    /// The conversation that they are in.
    pub(super) conversation: Uuid,
    /// The reply that they wait for.
    pub(super) reply: Uuid,
    /// The plan that they work at.
    pub(super) plan: Uuid,
    /// Chapters of their life that have begun: each is a conversation, every other one also a plan.
    pub(super) chapters: usize,
    steps: VecDeque<Step>,
}

impl Person {
    /// The person `number`, who has not registered yet.
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            account: ambient::new_id(),
            conversation: Uuid::nil(),
            reply: Uuid::nil(),
            plan: Uuid::nil(),
            chapters: 0,
            steps: VecDeque::from([Step::Register]),
        }
    }

    /// Whether so many chapters have begun, and all that belongs to them is done.
    pub(super) fn has_lived(&self, chapters: usize) -> bool {
        self.chapters >= chapters && self.steps.is_empty()
    }

    /// Does what comes next; where the last event stands that follows.
    ///
    /// # Errors
    /// When the command is refused or not recorded.
    pub(crate) async fn act(&mut self, store: &EventStore) -> Result<Position> {
        if self.steps.is_empty() {
            self.begin_chapter();
        }
        match self.steps.pop_front().context("a chapter without a step")? {
            Step::Register => self.register(store).await,
            Step::Talk(talk) => self.talk(store, talk).await,
            Step::Plan(planning) => self.work_at_plan(store, planning).await,
        }
    }

    fn begin_chapter(&mut self) {
        let chapter = self.chapters + self.number;
        self.chapters += 1;
        let exchange = [Talk::Post, Talk::StartReply, Talk::RecordReply].map(Step::Talk);
        let steps = &mut self.steps;
        steps.push_back(Step::Talk(Talk::Start));
        for _ in 0..2 + chapter * 3 % 7 {
            steps.extend(exchange);
        }
        if chapter.is_multiple_of(2) {
            steps.push_back(Step::Plan(Planning::Start));
            let facts = ["monthly_rent", "employees", "opening_hours"].map(Planning::RecordFact);
            steps.extend(facts.map(Step::Plan));
            for section in Section::ALL {
                steps.extend(exchange);
                steps.push_back(Step::Plan(Planning::Draft(section)));
            }
            let [first, second, third, ..] = Section::ALL;
            let revised = [first, second, third, first].map(Planning::Revise);
            steps.extend(revised.map(Step::Plan));
            let approved = [first, second].map(Planning::Approve);
            steps.extend(approved.map(Step::Plan));
        }
    }

    /// How much is still to be done in this chapter.
    pub(super) fn steps_left(&self) -> usize {
        self.steps.len()
    }

    async fn register(&self, store: &EventStore) -> Result<Position> {
        let email = format!("{}@example.com", self.account.simple());
        let command = AccountCommand::RegisterAccount {
            email: EmailAddress::parse(email)?,
            display_name: DisplayName::parse("Ada Lovelace")?,
        };
        issue::<Account>(store, self.account, command, self.by_person()).await
    }

    /// A command that the person issues.
    pub(super) fn by_person(&self) -> CommandContext {
        let origin = Origin {
            request_id: Some(ambient::new_id().to_string()),
            address: Some("203.0.113.7".to_owned()),
            user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0".to_owned()),
            receipt: None,
        };
        origin.command(Actor::user(self.account), self.account)
    }

    /// A command that a co-pilot issues for the person.
    pub(super) fn by_copilot(&self) -> CommandContext {
        CommandContext {
            model: Some(MODEL.to_owned()),
            provider: Some("openai".to_owned()),
            ..CommandContext::new(Actor::system("copilot"), self.account)
        }
    }
}

/// Has `command` recorded; where the stream's last event stands then.
pub(super) async fn issue<S>(
    store: &EventStore,
    id: Uuid,
    command: S::Command,
    context: CommandContext,
) -> Result<Position>
where
    S: Decide,
    S::Command: Clone,
    S::Refusal: std::error::Error + Send + Sync + 'static,
{
    let committed = store.execute::<S>(id, command, &context).await?;
    Ok(committed.position)
}
