//! How changes of generations are folded and written.

use std::collections::BTreeMap;

use fido_domain::conversation::Usage;
use fido_domain::plan::{GenerationStatus, Outcome, Section};
use fido_domain::{Position, Recorded};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::{Query, column};

pub(super) const INSERT: Query = Query::write(
    "generation.insert",
    "insert into generations (plan_id, generation_id, status, attempt, instructions, failure, \
                              input_tokens, output_tokens, requested_at, started_at, ended_at, position) \
     select plan_id, generation_id, status, attempt, instructions::json, failure, \
            input_tokens, output_tokens, requested_at, started_at, ended_at, position \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::text[], \
                 $7::bigint[], $8::bigint[], $9::timestamptz[], $10::timestamptz[], \
                 $11::timestamptz[], $12::bigint[]) \
          as t (plan_id, generation_id, status, attempt, instructions, failure, \
                input_tokens, output_tokens, requested_at, started_at, ended_at, position)",
);

pub(super) const UPDATE: Query = Query::write(
    "generation.update",
    "update generations g \
     set status = coalesce(t.status, g.status), \
         attempt = coalesce(t.attempt, g.attempt), \
         failure = case when t.ended_at is null then g.failure else t.failure end, \
         input_tokens = g.input_tokens + t.input_tokens, \
         output_tokens = g.output_tokens + t.output_tokens, \
         started_at = coalesce(g.started_at, t.started_at), \
         ended_at = coalesce(t.ended_at, g.ended_at) \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::bigint[], \
                 $7::bigint[], $8::timestamptz[], $9::timestamptz[]) \
          as t (plan_id, generation_id, status, attempt, failure, input_tokens, output_tokens, \
                started_at, ended_at) \
     where g.plan_id = t.plan_id and g.generation_id = t.generation_id",
);

pub(super) const SECTION_INSERT: Query = Query::write(
    "generation.insert_sections",
    "insert into generation_sections (plan_id, generation_id, section, outcome, reason) \
     select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])",
);

pub(super) const SECTION_UPDATE: Query = Query::write(
    "generation.update_sections",
    "update generation_sections s set outcome = t.outcome, reason = t.reason \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) \
          as t (plan_id, generation_id, section, outcome, reason) \
     where s.plan_id = t.plan_id and s.generation_id = t.generation_id and s.section = t.section",
);

/// What a batch changes in generations, by plan and generation.
#[derive(Default)]
pub(in crate::plan) struct Changes(BTreeMap<(Uuid, Uuid), Change>);

/// What has happened to one generation.
#[derive(Default)]
pub(in crate::plan) struct Change {
    requested: Option<Requested>,
    status: Option<GenerationStatus>,
    attempt: Option<i32>,
    failure: Option<String>,
    input_tokens: i64,
    output_tokens: i64,
    started_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    sections: BTreeMap<Section, Settled>,
}

struct Requested {
    instructions: Option<String>,
    at: OffsetDateTime,
    position: Position,
}

/// What has become of a section.
struct Settled {
    outcome: Outcome,
    reason: Option<String>,
}

impl Change {
    pub(in crate::plan) fn request(
        &mut self,
        recorded: &Recorded,
        sections: &[Section],
        instructions: Option<String>,
    ) {
        self.requested = Some(Requested {
            instructions,
            at: recorded.recorded_at,
            position: recorded.position,
        });
        for section in sections {
            let pending = Settled {
                outcome: Outcome::Pending,
                reason: None,
            };
            self.sections.insert(*section, pending);
        }
    }

    pub(in crate::plan) fn start(&mut self, attempt: i32, at: OffsetDateTime) {
        self.status = Some(GenerationStatus::Started);
        self.attempt = Some(attempt);
        self.started_at.get_or_insert(at);
    }

    pub(in crate::plan) fn settle(
        &mut self,
        section: Section,
        outcome: Outcome,
        reason: Option<String>,
        usage: Option<Usage>,
    ) {
        // One that was not asked for is no part of it.
        if self.requested.is_none() || self.sections.contains_key(&section) {
            self.sections.insert(section, Settled { outcome, reason });
        }
        let usage = usage.unwrap_or_default();
        self.input_tokens += i64::from(usage.input_tokens);
        self.output_tokens += i64::from(usage.output_tokens);
    }

    pub(in crate::plan) fn end(
        &mut self,
        status: GenerationStatus,
        failure: Option<String>,
        at: OffsetDateTime,
    ) {
        self.status = Some(status);
        self.failure = failure;
        self.ended_at = Some(at);
    }
}

impl Changes {
    /// The generation that something has happened to.
    pub(in crate::plan) fn of(&mut self, plan_id: Uuid, generation_id: Uuid) -> &mut Change {
        self.0.entry((plan_id, generation_id)).or_default()
    }

    pub(in crate::plan) async fn write(
        &self,
        replica: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        self.write_generations(replica).await?;
        self.write_sections(replica).await
    }

    async fn write_generations(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (key, change) in &self.0 {
            match &change.requested {
                Some(requested) => new.push((key, requested, change)),
                None => old.push((key, change)),
            }
        }
        if !new.is_empty() {
            let status = |change: &Change| {
                let status = change.status.unwrap_or(GenerationStatus::Requested);
                status.as_str()
            };
            INSERT
                .ask()
                .bind(column!(new, |((plan_id, _), ..)| *plan_id))
                .bind(column!(new, |((_, id), ..)| *id))
                .bind(column!(new, |(.., change)| status(change)))
                .bind(column!(new, |(.., change)| change.attempt.unwrap_or(0)))
                .bind(column!(new, |(_, asked, _)| asked.instructions.as_deref()))
                .bind(column!(new, |(.., change)| change.failure.as_deref()))
                .bind(column!(new, |(.., change)| change.input_tokens))
                .bind(column!(new, |(.., change)| change.output_tokens))
                .bind(column!(new, |(_, asked, _)| asked.at))
                .bind(column!(new, |(.., change)| change.started_at))
                .bind(column!(new, |(.., change)| change.ended_at))
                .bind(column!(new, |(_, asked, _)| asked.position))
                .execute(&mut *replica)
                .await?;
        }
        if !old.is_empty() {
            let status = |change: &Change| change.status.map(GenerationStatus::as_str);
            UPDATE
                .ask()
                .bind(column!(old, |((plan_id, _), _)| *plan_id))
                .bind(column!(old, |((_, id), _)| *id))
                .bind(column!(old, |(_, change)| status(change)))
                .bind(column!(old, |(_, change)| change.attempt))
                .bind(column!(old, |(_, change)| change.failure.as_deref()))
                .bind(column!(old, |(_, change)| change.input_tokens))
                .bind(column!(old, |(_, change)| change.output_tokens))
                .bind(column!(old, |(_, change)| change.started_at))
                .bind(column!(old, |(_, change)| change.ended_at))
                .execute(replica)
                .await?;
        }
        Ok(())
    }

    async fn write_sections(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (key, change) in &self.0 {
            let rows = if change.requested.is_some() {
                &mut new
            } else {
                &mut old
            };
            rows.extend(
                change
                    .sections
                    .iter()
                    .map(|(section, settled)| (key, section, settled)),
            );
        }
        for (query, rows) in [(SECTION_INSERT, new), (SECTION_UPDATE, old)] {
            if rows.is_empty() {
                continue;
            }
            query
                .ask()
                .bind(column!(rows, |((plan_id, _), ..)| *plan_id))
                .bind(column!(rows, |((_, id), ..)| *id))
                .bind(column!(rows, |(_, section, _)| section.as_str()))
                .bind(column!(rows, |(.., settled)| settled.outcome.as_str()))
                .bind(column!(rows, |(.., settled)| settled.reason.as_deref()))
                .execute(&mut *replica)
                .await?;
        }
        Ok(())
    }
}
