//! What the co-pilots know about the business now.

use std::collections::BTreeMap;

use fido_domain::plan::{FactKey, Source};
use fido_domain::{Private, Recorded};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::{Query, column};
use crate::{ReadError, Snapshot, private};

/// A fact about the business.
#[derive(Debug, Clone)]
pub struct FactRow {
    /// What about.
    pub key: String,
    /// What is so.
    pub value: Private<String>,
    /// Who says so: `model` or `user`.
    pub source: String,
    /// The conversation in which it came up.
    pub conversation_id: Option<Uuid>,
    /// Since when it is known like this.
    pub recorded_at: OffsetDateTime,
}

pub(crate) const FACT_QUERIES: &[Query] = &[AFTER, RECORD, WITHDRAW];

const AFTER: Query = Query::read(
    "facts.after",
    "select key, value, source, conversation_id, recorded_at \
     from plan_facts where plan_id = $1 and key > $2 order by key limit $3",
);

/// Up to `limit` facts of a plan by their keys, those behind `after`.
///
/// Whose plan it is the caller has asked before ([`super::one`]).
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn facts(
    snapshot: &mut Snapshot,
    plan_id: Uuid,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<FactRow>, ReadError> {
    let rows = AFTER
        .ask()
        .bind(plan_id)
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(FactRow {
                key: row.try_get("key")?,
                value: private(row, "value")?,
                source: row.try_get("source")?,
                conversation_id: row.try_get("conversation_id")?,
                recorded_at: row.try_get("recorded_at")?,
            })
        })
        .collect()
}

const RECORD: Query = Query::write(
    "facts.record",
    "insert into plan_facts (plan_id, key, value, source, conversation_id, recorded_at) \
     select plan_id, key, value::json, source, conversation_id, recorded_at \
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[]) \
          as t (plan_id, key, value, source, conversation_id, recorded_at) \
     on conflict (plan_id, key) do update \
     set value = excluded.value, source = excluded.source, \
         conversation_id = excluded.conversation_id, recorded_at = excluded.recorded_at",
);

const WITHDRAW: Query = Query::write(
    "facts.withdraw",
    "delete from plan_facts f using unnest($1::uuid[], $2::text[]) as t (plan_id, key) \
     where f.plan_id = t.plan_id and f.key = t.key",
);

/// What a batch changes in facts, by plan and key; none for a fact that was taken back.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<(Uuid, FactKey), Option<Fact>>);

struct Fact {
    value: String,
    source: Source,
    conversation_id: Option<Uuid>,
    recorded_at: OffsetDateTime,
}

impl Changes {
    pub(super) fn record(
        &mut self,
        recorded: &Recorded,
        key: FactKey,
        value: String,
        source: Source,
        conversation_id: Option<Uuid>,
    ) {
        let fact = Fact {
            value,
            source,
            conversation_id,
            recorded_at: recorded.recorded_at,
        };
        self.0.insert((recorded.aggregate_id, key), Some(fact));
    }

    pub(super) fn withdraw(&mut self, plan_id: Uuid, key: FactKey) {
        self.0.insert((plan_id, key), None);
    }

    pub(super) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut known, mut withdrawn) = (Vec::new(), Vec::new());
        for ((plan_id, key), fact) in &self.0 {
            match fact {
                Some(fact) => known.push((*plan_id, key.as_str(), fact)),
                None => withdrawn.push((*plan_id, key.as_str())),
            }
        }
        if !known.is_empty() {
            RECORD
                .ask()
                .bind(column!(known, |(plan_id, ..)| *plan_id))
                .bind(column!(known, |(_, key, _)| *key))
                .bind(column!(known, |(.., fact)| fact.value.as_str()))
                .bind(column!(known, |(.., fact)| fact.source.as_str()))
                .bind(column!(known, |(.., fact)| fact.conversation_id))
                .bind(column!(known, |(.., fact)| fact.recorded_at))
                .execute(&mut *replica)
                .await?;
        }
        if !withdrawn.is_empty() {
            WITHDRAW
                .ask()
                .bind(column!(withdrawn, |(plan_id, _)| *plan_id))
                .bind(column!(withdrawn, |(_, key)| *key))
                .execute(replica)
                .await?;
        }
        Ok(())
    }
}
