//! What may happen to a plan. One file a concept decides; what may be asked stands here.
//!
//! Two rules run through all of them: what a person has approved or changed, no model overwrites
//! unasked; and whoever asks for what is so already is answered with no event.

mod details;
mod facts;
mod generation;
mod refusal;
mod sections;

use fido_domain::conversation::Usage;
use fido_domain::plan::{
    FactKey, FactValue, Instructions, Plan, PlanEvent, Section, SectionText, Source,
};
use uuid::Uuid;

use crate::Decide;

pub use crate::change::Change;
pub use details::{Changes, Given};
pub use facts::MOST_FACTS;
pub use generation::NO_SECTION_WRITTEN;
pub use refusal::PlanRefusal;

/// What may be asked of a plan.
#[derive(Debug, Clone)]
pub enum PlanCommand {
    /// A person begins to plan a business.
    StartPlan {
        /// Who.
        account_id: Uuid,
        /// What is known of it from the start.
        given: Given,
    },
    /// A person describes the business anew.
    DescribePlan {
        /// Who.
        account_id: Uuid,
        /// What is different from before.
        changes: Changes,
    },
    /// A co-pilot writes a section in the course of a conversation.
    DraftSection {
        /// For whom.
        account_id: Uuid,
        /// Which section.
        section: Section,
        /// The revision that the co-pilot has read; 0 for an empty section.
        based_on: u32,
        /// What it wrote.
        text: SectionText,
        /// Which model.
        model: String,
        /// In which conversation.
        conversation_id: Uuid,
    },
    /// A person writes a section.
    ReviseSection {
        /// Who.
        account_id: Uuid,
        /// Which section.
        section: Section,
        /// The revision that the person has changed; none to write whatever is there.
        expected: Option<u32>,
        /// What it says from now on.
        text: SectionText,
    },
    /// A person goes back to an earlier text.
    RestoreRevision {
        /// Who.
        account_id: Uuid,
        /// Which section.
        section: Section,
        /// The latest revision that the person has seen; none to replace whatever is there.
        expected: Option<u32>,
        /// The revision whose text it gets.
        revision: u32,
    },
    /// A person is content with a section.
    ApproveSection {
        /// Who.
        account_id: Uuid,
        /// Which section.
        section: Section,
        /// The revision that the person has read; none to approve whatever is there.
        expected: Option<u32>,
    },
    /// A person wants to go on with an approved section.
    ReopenSection {
        /// Who.
        account_id: Uuid,
        /// Which section.
        section: Section,
    },
    /// A person or a co-pilot notes something about the business.
    RecordFact {
        /// Who, or for whom.
        account_id: Uuid,
        /// What about.
        key: FactKey,
        /// What is so.
        value: FactValue,
        /// Who says so.
        source: Source,
        /// The conversation in which it came up.
        conversation_id: Option<Uuid>,
    },
    /// A person takes a fact back.
    WithdrawFact {
        /// Who.
        account_id: Uuid,
        /// Which.
        key: FactKey,
    },
    /// A person asks the co-pilots to write sections.
    RequestGeneration {
        /// Who.
        account_id: Uuid,
        /// The id of the generation.
        generation_id: Uuid,
        /// What is to be written. None for every section that is empty or as a co-pilot left it;
        /// one that the person has revised is written again only when it is named.
        sections: Option<Vec<Section>>,
        /// What to heed.
        instructions: Option<Instructions>,
    },
    /// A worker begins to write.
    StartGeneration {
        /// Which generation.
        generation_id: Uuid,
    },
    /// A worker has written a section.
    RecordGeneratedSection {
        /// Which generation.
        generation_id: Uuid,
        /// The attempt it was given when it began.
        attempt: u32,
        /// Which section.
        section: Section,
        /// What the model wrote.
        text: SectionText,
        /// Which model.
        model: String,
        /// What it used.
        usage: Usage,
    },
    /// A worker gives a section up.
    FailGeneratedSection {
        /// Which generation.
        generation_id: Uuid,
        /// The attempt it was given when it began.
        attempt: u32,
        /// Which section.
        section: Section,
        /// Why, as a stable code.
        reason: String,
        /// The model that was asked, if one was.
        model: Option<String>,
        /// What the model used all the same, if it said so.
        usage: Option<Usage>,
    },
    /// A worker gives up the whole generation.
    FailGeneration {
        /// Which generation.
        generation_id: Uuid,
        /// The attempt it was given when it began.
        attempt: u32,
        /// Why, as a stable code.
        reason: String,
    },
    /// A person stops a generation.
    CancelGeneration {
        /// Who.
        account_id: Uuid,
        /// Which generation.
        generation_id: Uuid,
    },
    /// A person puts the plan away.
    ArchivePlan {
        /// Who.
        account_id: Uuid,
    },
    /// A person takes the plan out again.
    RestorePlan {
        /// Who.
        account_id: Uuid,
    },
}

/// What a decision leads to.
type Decision = Result<Vec<PlanEvent>, PlanRefusal>;

impl Decide for Plan {
    type Command = PlanCommand;
    type Refusal = PlanRefusal;

    fn decide(&self, command: &PlanCommand) -> Decision {
        match command {
            PlanCommand::StartPlan { account_id, given } => {
                details::start(self, *account_id, given)
            }
            PlanCommand::DescribePlan {
                account_id,
                changes,
            } => details::describe(in_use(self, *account_id)?, changes),
            PlanCommand::DraftSection {
                account_id,
                section,
                based_on,
                text,
                model,
                conversation_id,
            } => {
                let plan = in_use(self, *account_id)?;
                sections::draft(plan, *section, *based_on, text, model, *conversation_id)
            }
            PlanCommand::ReviseSection {
                account_id,
                section,
                expected,
                text,
            } => sections::revise(in_use(self, *account_id)?, *section, *expected, text),
            PlanCommand::RestoreRevision {
                account_id,
                section,
                expected,
                revision,
            } => sections::restore(in_use(self, *account_id)?, *section, *expected, *revision),
            PlanCommand::ApproveSection {
                account_id,
                section,
                expected,
            } => sections::approve(in_use(self, *account_id)?, *section, *expected),
            PlanCommand::ReopenSection {
                account_id,
                section,
            } => sections::reopen(in_use(self, *account_id)?, *section),
            PlanCommand::RecordFact {
                account_id,
                key,
                value,
                source,
                conversation_id,
            } => {
                let plan = in_use(self, *account_id)?;
                facts::record(plan, key, value, *source, *conversation_id)
            }
            PlanCommand::WithdrawFact { account_id, key } => {
                facts::withdraw(in_use(self, *account_id)?, key)
            }
            PlanCommand::RequestGeneration {
                account_id,
                generation_id,
                sections,
                instructions,
            } => {
                let plan = in_use(self, *account_id)?;
                let (sections, instructions) = (sections.as_deref(), instructions.as_ref());
                generation::request(plan, *generation_id, sections, instructions)
            }
            PlanCommand::StartGeneration { generation_id } => {
                generation::start(self, *generation_id)
            }
            PlanCommand::RecordGeneratedSection {
                generation_id,
                attempt,
                section,
                text,
                model,
                usage,
            } => {
                let by = generation::Attempt(*generation_id, *attempt);
                generation::record(self, by, *section, text, model, *usage)
            }
            PlanCommand::FailGeneratedSection {
                generation_id,
                attempt,
                section,
                reason,
                model,
                usage,
            } => {
                let by = generation::Attempt(*generation_id, *attempt);
                generation::fail_section(self, by, *section, reason, model.as_deref(), *usage)
            }
            PlanCommand::FailGeneration {
                generation_id,
                attempt,
                reason,
            } => generation::fail(self, generation::Attempt(*generation_id, *attempt), reason),
            PlanCommand::CancelGeneration {
                account_id,
                generation_id,
            } => generation::cancel(owned(self, *account_id)?, *generation_id),
            PlanCommand::ArchivePlan { account_id } => archive(owned(self, *account_id)?),
            PlanCommand::RestorePlan { account_id } => {
                let plan = owned(self, *account_id)?;
                Ok(events_if(plan.is_archived(), || PlanEvent::PlanRestored {}))
            }
        }
    }
}

/// Puts the plan away; a generation that is in progress ends, as its sections would go nowhere.
fn archive(plan: &Plan) -> Decision {
    if plan.is_archived() {
        return Ok(Vec::new());
    }
    let cancelled = plan
        .open_generation()
        .map(|open| PlanEvent::GenerationCancelled {
            generation_id: open.generation_id,
        });
    Ok(cancelled
        .into_iter()
        .chain([PlanEvent::PlanArchived {}])
        .collect())
}

/// The plan, if it is `account_id`'s.
fn owned(plan: &Plan, account_id: Uuid) -> Result<&Plan, PlanRefusal> {
    match plan.owner() {
        Some(owner) if owner == account_id => Ok(plan),
        Some(_) | None => Err(PlanRefusal::NotFound),
    }
}

/// The plan, if it is `account_id`'s and not put away.
fn in_use(plan: &Plan, account_id: Uuid) -> Result<&Plan, PlanRefusal> {
    let plan = owned(plan, account_id)?;
    if plan.is_archived() {
        return Err(PlanRefusal::Archived);
    }
    Ok(plan)
}

/// One event when it is `needed`, and none when what it would say is so already.
fn events_if(needed: bool, event: impl FnOnce() -> PlanEvent) -> Vec<PlanEvent> {
    needed.then(event).into_iter().collect()
}
