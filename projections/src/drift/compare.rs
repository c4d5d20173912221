//! Live rows of some streams beside those that were made anew.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Drifted, Stream};
use crate::SCHEMA;
use crate::verify::{Table, row_hash};

/// A table each of whose rows follows from one stream alone.
struct OfOneStream {
    table: &'static str,
    /// Of which kind; none when every stream has rows there.
    aggregate_type: Option<&'static str>,
    /// Which stream a row belongs to.
    column: &'static str,
    /// A column by which the rows can be found that may belong to a stream, where `column` is in no
    /// index.
    found_by: Option<&'static str>,
}

/// The tables that can be looked at. A table whose rows follow from several streams is none of them:
/// whether those are right only a fresh replay tells.
const OF_ONE_STREAM: [OfOneStream; 12] = [
    of("accounts", "account", "account_id"),
    of("consents", "account", "account_id"),
    of("conversations", "conversation", "conversation_id"),
    of("messages", "conversation", "conversation_id"),
    of("plans", "plan", "plan_id"),
    of("plan_sections", "plan", "plan_id"),
    of("section_revisions", "plan", "plan_id"),
    of("plan_facts", "plan", "plan_id"),
    of("generations", "plan", "plan_id"),
    of("generation_sections", "plan", "plan_id"),
    OfOneStream {
        table: "timeline",
        aggregate_type: None,
        column: "aggregate_id",
        found_by: Some("account_id"),
    },
    OfOneStream {
        table: "audit_timeline",
        aggregate_type: None,
        column: "aggregate_id",
        found_by: None,
    },
];

const fn of(
    table: &'static str,
    aggregate_type: &'static str,
    column: &'static str,
) -> OfOneStream {
    OfOneStream {
        table,
        aggregate_type: Some(aggregate_type),
        column,
        found_by: None,
    }
}

/// Where the rows of `streams` are not the same, by table.
pub(super) async fn drifted(
    replica: &mut PgConnection,
    tables: &[Table],
    streams: &BTreeSet<Stream>,
) -> Result<Vec<Drifted>, sqlx::Error> {
    let mut drifted = Vec::new();
    for of in &OF_ONE_STREAM {
        let Some(table) = tables.iter().find(|table| table.name == of.table) else {
            continue;
        };
        let mine = |stream: &&Stream| {
            of.aggregate_type
                .is_none_or(|aggregate_type| aggregate_type == stream.aggregate_type)
        };
        let ids: Vec<Uuid> = streams
            .iter()
            .filter(mine)
            .map(|stream| stream.aggregate_id)
            .collect();
        let differing: Vec<Uuid> = sqlx::query_scalar(&of.query(table))
            .bind(ids)
            .fetch_all(&mut *replica)
            .await?;
        let of_table = |stream: &&Stream| differing.contains(&stream.aggregate_id);
        drifted.extend(streams.iter().filter(of_table).map(|stream| Drifted {
            aggregate_type: stream.aggregate_type.clone(),
            aggregate_id: stream.aggregate_id,
            table: of.table.to_owned(),
        }));
    }
    Ok(drifted)
}

impl OfOneStream {
    /// The query for the streams among `$1` whose rows are not the same here and there.
    fn query(&self, table: &Table) -> String {
        let keys: Vec<String> = table.key.iter().map(|key| key.quoted()).collect();
        let keys = keys.join(", ");
        let rows = |schema: &str| {
            let bound = self.found_by.map_or(String::new(), |column| {
                format!(
                    " and {column} in (select {column} from pg_temp.{})",
                    table.quoted()
                )
            });
            format!(
                "(select {keys}, {} as stream, {} as hash from {schema}.{} where {} = any($1){bound})",
                self.column,
                row_hash(table),
                table.quoted(),
                self.column,
            )
        };
        format!(
            "select distinct coalesce(live.stream, anew.stream) \
               from {} as live full join {} as anew using ({keys}) \
              where live.hash is distinct from anew.hash",
            rows(SCHEMA),
            rows("pg_temp")
        )
    }
}
