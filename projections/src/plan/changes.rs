//! What a batch of events changes in plans: which event concerns which of their tables.

use fido_domain::Recorded;
use fido_domain::plan::{GenerationStatus, Outcome, PlanEvent, PlanStatus, SectionStatus, Source};
use sqlx::PgConnection;

use super::revisions::{NewRevision, Text};
use super::{details, facts, generation, revisions, sections};
use crate::rows::{integer, stored};

#[derive(Default)]
pub(crate) struct Changes {
    details: details::Changes,
    sections: sections::Changes,
    revisions: revisions::Changes,
    facts: facts::Changes,
    generations: generation::Changes,
}

impl Changes {
    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.details.write(replica).await?;
        self.revisions.write(replica).await?;
        self.sections.write(replica).await?;
        self.facts.write(replica).await?;
        self.generations.write(replica).await
    }

    pub(crate) fn take(&mut self, recorded: &Recorded, event: PlanEvent) {
        let plan_id = recorded.aggregate_id;
        let at = recorded.recorded_at;
        let plan = self.details.of(recorded);
        match event {
            PlanEvent::PlanStarted {
                account_id,
                title,
                business_name,
                industry,
                location,
                stage,
                summary,
            } => {
                plan.start(account_id, at);
                plan.title = Some(Some(stored(&title)));
                plan.describe([business_name, industry, location, summary], stage);
            }
            PlanEvent::PlanDescribed {
                title,
                business_name,
                industry,
                location,
                stage,
                summary,
                cleared,
            } => {
                plan.clear(&cleared);
                if let Some(title) = title {
                    plan.title = Some(Some(stored(&title)));
                }
                plan.describe([business_name, industry, location, summary], stage);
            }
            PlanEvent::SectionDrafted {
                section,
                revision,
                text,
                words,
                characters,
                model,
                usage,
                generation_id,
                conversation_id,
            } => {
                let new = NewRevision {
                    written: SectionStatus::Drafted.as_str(),
                    source: Source::Model.as_str(),
                    text: Text::Known {
                        text: stored(&text),
                        model: Some(model),
                    },
                    words: integer(words),
                    characters: integer(characters),
                    restored_from: None,
                    generation_id,
                    conversation_id,
                    recorded_at: at,
                };
                self.write_section(recorded, section.as_str(), revision, new);
                if let Some(generation_id) = generation_id {
                    self.generations.of(plan_id, generation_id).settle(
                        section,
                        Outcome::Drafted,
                        None,
                        usage,
                    );
                }
            }
            PlanEvent::SectionRevised {
                section,
                revision,
                text,
                words,
                characters,
            } => {
                let new = NewRevision {
                    written: SectionStatus::Revised.as_str(),
                    source: Source::User.as_str(),
                    text: Text::Known {
                        text: stored(&text),
                        model: None,
                    },
                    words: integer(words),
                    characters: integer(characters),
                    restored_from: None,
                    generation_id: None,
                    conversation_id: None,
                    recorded_at: at,
                };
                self.write_section(recorded, section.as_str(), revision, new);
            }
            PlanEvent::SectionRestored {
                section,
                revision,
                from_revision,
                source,
                words,
                characters,
            } => {
                let section = section.as_str();
                let from = integer(from_revision);
                let new = NewRevision {
                    written: SectionStatus::Revised.as_str(),
                    source: source.as_str(),
                    text: self.revisions.text(plan_id, section, from),
                    words: integer(words),
                    characters: integer(characters),
                    restored_from: Some(from),
                    generation_id: None,
                    conversation_id: None,
                    recorded_at: at,
                };
                self.write_section(recorded, section, revision, new);
            }
            PlanEvent::SectionApproved { section, .. } => {
                self.sections.approve(plan_id, section, Some(at), at);
            }
            PlanEvent::SectionReopened { section, .. } => {
                self.sections.approve(plan_id, section, None, at);
            }
            PlanEvent::FactRecorded {
                key,
                value,
                source,
                conversation_id,
            } => self
                .facts
                .record(recorded, key, stored(&value), source, conversation_id),
            PlanEvent::FactWithdrawn { key } => self.facts.withdraw(plan_id, key),
            PlanEvent::GenerationRequested {
                generation_id,
                sections,
                instructions,
            } => self.generations.of(plan_id, generation_id).request(
                recorded,
                &sections,
                instructions.as_ref().map(stored),
            ),
            PlanEvent::GenerationStarted {
                generation_id,
                attempt,
            } => self
                .generations
                .of(plan_id, generation_id)
                .start(integer(attempt), at),
            PlanEvent::SectionSkipped {
                generation_id,
                section,
                reason,
                usage,
                ..
            } => {
                let reason = Some(reason.as_str().to_owned());
                self.generations.of(plan_id, generation_id).settle(
                    section,
                    Outcome::Skipped,
                    reason,
                    Some(usage),
                );
            }
            PlanEvent::SectionFailed {
                generation_id,
                section,
                reason,
                usage,
                ..
            } => self.generations.of(plan_id, generation_id).settle(
                section,
                Outcome::Failed,
                Some(reason),
                usage,
            ),
            PlanEvent::GenerationCompleted { generation_id, .. } => self
                .generations
                .of(plan_id, generation_id)
                .end(GenerationStatus::Completed, None, at),
            PlanEvent::GenerationFailed {
                generation_id,
                reason,
                ..
            } => self.generations.of(plan_id, generation_id).end(
                GenerationStatus::Failed,
                Some(reason),
                at,
            ),
            PlanEvent::GenerationCancelled { generation_id } => self
                .generations
                .of(plan_id, generation_id)
                .end(GenerationStatus::Cancelled, None, at),
            PlanEvent::PlanArchived {} => plan.status = Some(PlanStatus::Archived),
            PlanEvent::PlanRestored {} => plan.status = Some(PlanStatus::Active),
        }
    }

    fn write_section(
        &mut self,
        recorded: &Recorded,
        section: &'static str,
        revision: u32,
        new: NewRevision,
    ) {
        // Revisions are counted from 1, and no section becomes empty again.
        if revision == 1 {
            self.details.of(recorded).sections_written += 1;
        }
        let plan_id = recorded.aggregate_id;
        let revision = integer(revision);
        self.sections
            .write_anew(plan_id, section, revision, new.written, new.recorded_at);
        self.revisions.add(plan_id, section, revision, new);
    }
}
