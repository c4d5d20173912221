//! Every statement on read models, each under a name: a reader or a writer can only be made of one,
//! and a test asks the database for the plan of each.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;

use crate::{account, audit, conversation, plan, timeline, usage};

/// Asked before rows are written; holds until the transaction ends. What is written is few rows at
/// known keys of tables of any size, and a plan that was made when a table was small lives on when it
/// is not any more: joins must go from the keys to the index, whatever the table looked like. Without
/// `jit`, as a plan that has no other way looks so dear that it would be compiled.
pub const WRITING: &str = "select set_config(name, 'off', true) \
    from unnest(array['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'jit']) as t (name)";

/// A statement on read models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    name: &'static str,
    sql: &'static str,
    kind: Kind,
}

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Answers a question. Its rows come from an index in the order in which they are wanted.
    Read,
    /// Writes what follows from a batch of events, after [`WRITING`].
    Write,
}

impl Query {
    pub(crate) const fn read(name: &'static str, sql: &'static str) -> Self {
        let kind = Kind::Read;
        Self { name, sql, kind }
    }

    pub(crate) const fn write(name: &'static str, sql: &'static str) -> Self {
        let kind = Kind::Write;
        Self { name, sql, kind }
    }

    /// What it is called: the read model, a dot, and what it does.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The statement, with `$1` … for its arguments.
    pub const fn sql(&self) -> &'static str {
        self.sql
    }

    /// What it is for.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Ready for its arguments.
    pub(crate) fn ask<'q>(&self) -> sqlx::query::Query<'q, Postgres, PgArguments> {
        sqlx::query(self.sql)
    }
}

/// Every statement on read models that this crate has.
pub fn all() -> impl Iterator<Item = &'static Query> {
    [
        account::QUERIES,
        account::CONSENT_QUERIES,
        conversation::QUERIES,
        conversation::MESSAGE_QUERIES,
        plan::QUERIES,
        plan::SECTION_QUERIES,
        plan::FACT_QUERIES,
        plan::GENERATION_QUERIES,
        usage::QUERIES,
        timeline::QUERIES,
        audit::QUERIES,
    ]
    .into_iter()
    .flatten()
}

/// The array of one column of `rows`, for `unnest`.
macro_rules! column {
    ($rows:expr, |$row:pat_param| $value:expr) => {
        $rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}
pub(crate) use column;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Where other things than read models are asked or written: the replica as a whole.
    const OF_THE_WHOLE: [&str; 12] = [
        "query.rs",
        "analytics",
        "rows",
        "replica",
        "checkpoint",
        "apply",
        "operation",
        "projector",
        "quarantine",
        "rebuild",
        "verify",
        "drift",
    ];

    /// Every source file of read models, with its path.
    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                let shown = path.display().to_string();
                found.push((shown, std::fs::read_to_string(path).unwrap()));
            }
        }
    }

    fn of_read_models() -> Vec<(String, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&root).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if OF_THE_WHOLE.iter().any(|whole| name.starts_with(whole)) {
                continue;
            }
            if path.is_dir() {
                sources(&path, &mut found);
            } else {
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
        assert!(found.len() > 10, "the sources are where they were");
        found
    }

    #[test]
    fn whoever_asks_for_rows_does_it_with_a_query_that_has_a_name() {
        for (file, source) in of_read_models() {
            for way_round in [
                "sqlx::query",
                "QueryBuilder",
                "raw_sql",
                "query_scalar",
                "query_as",
            ] {
                assert!(!source.contains(way_round), "{file} uses {way_round}");
            }
        }
    }

    #[test]
    fn every_query_that_is_written_down_is_among_all_of_them() {
        let mut written = BTreeSet::new();
        for (file, source) in of_read_models() {
            for (at, _) in source.match_indices("Query::").collect::<Vec<_>>() {
                let rest = &source[at + "Query::".len()..];
                let Some(arguments) = rest
                    .strip_prefix("read(")
                    .or_else(|| rest.strip_prefix("write("))
                else {
                    continue;
                };
                let name = arguments.trim_start().split('"').nth(1).unwrap().to_owned();
                assert!(
                    written.insert(name.clone()),
                    "{name} is there twice: {file}"
                );
            }
        }
        let known: BTreeSet<_> = all().map(|query| query.name().to_owned()).collect();
        assert_eq!(written, known);
    }
}
