//! What is done with a plan.

use anyhow::Result;
use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{EventStore, ambient};
use fido_domain::Position;
use fido_domain::plan::{
    BusinessName, FactKey, FactValue, Industry, Location, Plan, PlanTitle, Section, SectionText,
    Source, Stage, Summary,
};

use super::person::{MODEL, Person, issue};
use super::prose::prose;

/// How long what is written is, in characters.
const FACT: usize = 40;
const SUMMARY: usize = 120;
const SECTION: usize = 1_400;

/// A step of work at a plan.
#[derive(Debug, Clone, Copy)]
pub(super) enum Planning {
    Start,
    RecordFact(&'static str),
    Draft(Section),
    Revise(Section),
    Approve(Section),
}

impl Person {
    pub(super) async fn work_at_plan(
        &mut self,
        store: &EventStore,
        step: Planning,
    ) -> Result<Position> {
        let (account_id, conversation_id) = (self.account, self.conversation);
        let (command, context) = match step {
            Planning::Start => {
                self.plan = ambient::new_id();
                let given = Given {
                    title: PlanTitle::parse("A bakery in the old town")?,
                    business_name: Some(BusinessName::parse("Crust and Crumb")?),
                    industry: Some(Industry::parse("Food retail")?),
                    location: Some(Location::parse("Springfield")?),
                    stage: Some(Stage::Idea),
                    summary: Some(Summary::parse(prose(SUMMARY))?),
                };
                let command = PlanCommand::StartPlan { account_id, given };
                (command, self.by_person())
            }
            Planning::RecordFact(key) => {
                let command = PlanCommand::RecordFact {
                    account_id,
                    key: FactKey::parse(key)?,
                    value: FactValue::parse(prose(FACT))?,
                    source: Source::Model,
                    conversation_id: Some(conversation_id),
                };
                (command, self.by_copilot())
            }
            Planning::Draft(section) => {
                let command = PlanCommand::DraftSection {
                    account_id,
                    section,
                    based_on: 0,
                    text: SectionText::parse(prose(SECTION))?,
                    model: MODEL.to_owned(),
                    conversation_id,
                };
                (command, self.by_copilot())
            }
            Planning::Revise(section) => {
                // Another text each time: one that is there already would change nothing.
                let length = SECTION + 40 * (self.steps_left() + 1);
                let command = PlanCommand::ReviseSection {
                    account_id,
                    section,
                    expected: None,
                    text: SectionText::parse(prose(length))?,
                };
                (command, self.by_person())
            }
            Planning::Approve(section) => {
                let command = PlanCommand::ApproveSection {
                    account_id,
                    section,
                    expected: None,
                };
                (command, self.by_person())
            }
        };
        issue::<Plan>(store, self.plan, command, context).await
    }
}
