//! How changes of plans themselves, sections apart, are folded and written.

use std::collections::BTreeMap;

use fido_domain::plan::{Detail, PlanStatus, Stage};
use fido_domain::{Private, Recorded};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::{Query, column};
use crate::rows::stored;

pub(super) const INSERT: Query = Query::write(
    "plan.insert",
    "insert into plans (plan_id, account_id, title, business_name, industry, location, stage, \
                        summary, status, sections_written, sequence, created_at, updated_at) \
     select plan_id, account_id, title::json, business_name::json, industry::json, location::json, \
            stage, summary::json, status, sections_written, sequence, created_at, updated_at \
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], \
                 $8::text[], $9::text[], $10::integer[], $11::bigint[], $12::timestamptz[], \
                 $13::timestamptz[]) \
          as t (plan_id, account_id, title, business_name, industry, location, stage, \
                summary, status, sections_written, sequence, created_at, updated_at)",
);

// A detail that is null stays as it is, one that is the text null is taken away.
pub(super) const UPDATE: Query = Query::write(
    "plan.update",
    "update plans p \
     set title = coalesce(t.title::json, p.title), \
         business_name = case t.business_name when 'null' then null \
                              else coalesce(t.business_name::json, p.business_name) end, \
         industry = case t.industry when 'null' then null \
                         else coalesce(t.industry::json, p.industry) end, \
         location = case t.location when 'null' then null \
                         else coalesce(t.location::json, p.location) end, \
         stage = case t.stage when 'null' then null else coalesce(t.stage, p.stage) end, \
         summary = case t.summary when 'null' then null \
                        else coalesce(t.summary::json, p.summary) end, \
         status = coalesce(t.status, p.status), \
         sections_written = p.sections_written + t.sections_written, \
         sequence = t.sequence, \
         updated_at = t.updated_at \
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
                 $7::text[], $8::text[], $9::integer[], $10::bigint[], $11::timestamptz[]) \
          as t (plan_id, title, business_name, industry, location, stage, summary, status, \
                sections_written, sequence, updated_at) \
     where p.plan_id = t.plan_id",
);

/// What a batch changes in plans.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<Uuid, Change>);

/// A detail: not mentioned, taken away, or what it is now.
type Mention = Option<Option<String>>;

/// What has happened to one plan.
#[derive(Default)]
pub(super) struct Change {
    started: Option<Started>,
    pub(super) title: Mention,
    business_name: Mention,
    industry: Mention,
    location: Mention,
    stage: Mention,
    summary: Mention,
    pub(super) status: Option<PlanStatus>,
    /// How many sections got their first text.
    pub(super) sections_written: i32,
    sequence: i64,
    updated_at: Option<OffsetDateTime>,
}

struct Started {
    account_id: Uuid,
    created_at: OffsetDateTime,
}

impl Change {
    pub(super) fn start(&mut self, account_id: Uuid, created_at: OffsetDateTime) {
        self.started = Some(Started {
            account_id,
            created_at,
        });
    }

    /// Takes over what is given of business name, industry, location and summary, and the stage.
    pub(super) fn describe(&mut self, texts: [Option<Private<String>>; 4], stage: Option<Stage>) {
        let [business_name, industry, location, summary] = texts;
        for (known, given) in [
            (&mut self.business_name, business_name),
            (&mut self.industry, industry),
            (&mut self.location, location),
            (&mut self.summary, summary),
        ] {
            if let Some(given) = given {
                *known = Some(Some(stored(&given)));
            }
        }
        if let Some(stage) = stage {
            self.stage = Some(Some(stage.as_str().to_owned()));
        }
    }

    pub(super) fn clear(&mut self, details: &[Detail]) {
        for detail in details {
            let cleared = match detail {
                Detail::BusinessName => &mut self.business_name,
                Detail::Industry => &mut self.industry,
                Detail::Location => &mut self.location,
                Detail::Stage => &mut self.stage,
                Detail::Summary => &mut self.summary,
            };
            *cleared = Some(None);
        }
    }
}

/// A detail of a new plan.
fn given(mention: &Mention) -> Option<&str> {
    mention.as_ref()?.as_deref()
}

/// A detail of an older plan, as [`UPDATE`] wants it.
fn changed(mention: &Mention) -> Option<&str> {
    Some(mention.as_ref()?.as_deref().unwrap_or("null"))
}

impl Changes {
    /// The plan that something has happened to.
    pub(super) fn of(&mut self, recorded: &Recorded) -> &mut Change {
        let change = self.0.entry(recorded.aggregate_id).or_default();
        change.sequence = recorded.sequence;
        change.updated_at = Some(recorded.recorded_at);
        change
    }

    pub(super) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (id, change) in &self.0 {
            match &change.started {
                Some(started) => new.push((*id, started, change)),
                None => old.push((*id, change)),
            }
        }
        if !new.is_empty() {
            let status = |change: &Change| change.status.unwrap_or_default().as_str();
            INSERT
                .ask()
                .bind(column!(new, |(id, ..)| *id))
                .bind(column!(new, |(_, started, _)| started.account_id))
                .bind(column!(new, |(.., plan)| given(&plan.title)))
                .bind(column!(new, |(.., plan)| given(&plan.business_name)))
                .bind(column!(new, |(.., plan)| given(&plan.industry)))
                .bind(column!(new, |(.., plan)| given(&plan.location)))
                .bind(column!(new, |(.., plan)| given(&plan.stage)))
                .bind(column!(new, |(.., plan)| given(&plan.summary)))
                .bind(column!(new, |(.., plan)| status(plan)))
                .bind(column!(new, |(.., plan)| plan.sections_written))
                .bind(column!(new, |(.., plan)| plan.sequence))
                .bind(column!(new, |(_, started, _)| started.created_at))
                .bind(column!(new, |(.., plan)| plan.updated_at))
                .execute(&mut *replica)
                .await?;
        }
        if !old.is_empty() {
            let status = |change: &Change| change.status.map(PlanStatus::as_str);
            UPDATE
                .ask()
                .bind(column!(old, |(id, _)| *id))
                .bind(column!(old, |(_, plan)| changed(&plan.title)))
                .bind(column!(old, |(_, plan)| changed(&plan.business_name)))
                .bind(column!(old, |(_, plan)| changed(&plan.industry)))
                .bind(column!(old, |(_, plan)| changed(&plan.location)))
                .bind(column!(old, |(_, plan)| changed(&plan.stage)))
                .bind(column!(old, |(_, plan)| changed(&plan.summary)))
                .bind(column!(old, |(_, plan)| status(plan)))
                .bind(column!(old, |(_, plan)| plan.sections_written))
                .bind(column!(old, |(_, plan)| plan.sequence))
                .bind(column!(old, |(_, plan)| plan.updated_at))
                .execute(replica)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_that_is_cleared_and_given_again_is_given() {
        let mut change = Change::default();
        change.clear(&[Detail::Industry, Detail::Stage]);
        let industry = Some(Private::stored("1:i:x"));
        change.describe([None, industry, None, None], None);
        assert_eq!(changed(&change.industry), Some(r#"{"sealed":"1:i:x"}"#));
        assert_eq!(changed(&change.stage), Some("null"));
        assert_eq!(given(&change.stage), None);
        assert_eq!(changed(&change.summary), None);
    }

    #[test]
    fn a_detail_that_is_given_and_cleared_is_cleared() {
        let mut change = Change::default();
        change.describe([None, None, None, None], Some(Stage::Idea));
        change.clear(&[Detail::Stage]);
        assert_eq!(changed(&change.stage), Some("null"));
    }
}
