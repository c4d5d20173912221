//! `fido replica verify`: whether a replica holds what the log says, row by row.

use std::fmt::Write;
use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Args;
use fido_projections::rebuild::Progress;
use fido_projections::verify::{self, Comparison, Difference, RowDifference};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;

use super::build::build;
use super::progress::Reporter;
use crate::config::{Connections, ReplicaOwnerArgs};
use crate::{config, roles};

pub(super) const ABOUT: &str = "\
Proves that a replica holds what it should: hashes every table and compares.

Either against another replica, as soon as both are at one position, or against a replay of the log \
from position 1 into a schema of its own, which is removed afterwards. The first row that differs is \
named by its table and key, with the columns that differ; no content is shown. Reads only, and may run \
while the replica serves.

Exit status 0: equal. 1: not equal, or not compared.";

pub(super) const EXAMPLES: &str = "\
Examples:
  fido replica verify --fresh                                    a fresh replay of the log
  fido replica verify --replica replica1 --against replica2      another replica";

/// `fido replica verify`.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false, args = ["against", "fresh"])]
pub struct VerifyArgs {
    /// The replica to compare with.
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    /// Compare with a fresh replay of the log, made as the owner of the replica's schema.
    #[arg(long)]
    fresh: bool,
    /// JSON, for scripts.
    #[arg(long)]
    json: bool,
    /// The replica, as its owner.
    #[command(flatten)]
    owner: ReplicaOwnerArgs,
    /// Where everything is.
    #[command(flatten)]
    connections: Connections,
}

pub(super) async fn run(args: &VerifyArgs) -> Result<String> {
    let addresses = args.connections.resolve()?;
    let replica = config::the_one(&addresses.replicas)?;
    let reporter = Reporter::new()?;
    let told = |progress: Progress| reporter.tell(&progress);
    let comparison = match &args.against {
        Some(other) => {
            let one = PgConnectOptions::from_str(&replica.url)?;
            let other = args.connections.replica_named(other)?;
            verify::against(&one, &PgConnectOptions::from_str(&other.url)?, &told).await
        }
        None => {
            let log = roles::open_log(&addresses.events_url).await?;
            let place = args.owner.of(&addresses, replica)?;
            verify::against_fresh(&place, &log, &build()?, &told).await
        }
    };
    reporter.finish();
    let comparison = comparison?;
    let name = &replica.name;
    let text = if args.json {
        serde_json::to_string_pretty(&in_json(&comparison))?
    } else {
        table(name, &comparison)
    };
    if comparison.is_equal() {
        return Ok(text);
    }
    // The result all the same, where results are looked for.
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{text}\n"));
    let what = match &args.against {
        Some(other) => other,
        None => "a fresh replay of the log",
    };
    let difference = comparison
        .first_difference()
        .map(|(table, difference)| in_words(table, difference));
    bail!(
        "{name} (A) differs from {what} (B) at position {}: {}",
        comparison.position,
        difference.unwrap_or_default()
    );
}

fn table(name: &str, comparison: &Comparison) -> String {
    let mut text = format!("{name} at position {}", comparison.position);
    let width = comparison.tables.iter().map(|table| table.name.len()).max();
    let width = width.unwrap_or_default();
    for table in &comparison.tables {
        let rows = table.rows.map_or("-".to_owned(), |rows| rows.to_string());
        let hash = table.hash.as_deref().unwrap_or("-");
        let verdict = if table.difference.is_none() {
            "equal"
        } else {
            "differs"
        };
        let _infallible = write!(
            text,
            "\n  {:<width$} {rows:>12} rows   {hash:<32}   {verdict}",
            table.name
        );
    }
    text
}

/// A difference on one line; A is the first of the two, B the second.
pub(super) fn in_words(table: &str, difference: &Difference) -> String {
    match difference {
        Difference::OnlyInOne => format!("table {table} is only in A"),
        Difference::OnlyInOther => format!("table {table} is only in B"),
        Difference::Columns { one, other } => format!(
            "table {table} has the columns ({}) in A and ({}) in B",
            one.join(", "),
            other.join(", ")
        ),
        Difference::Row { key, how } => {
            let key: Vec<String> = key
                .iter()
                .map(|(column, value)| format!("{column} = {value}"))
                .collect();
            let row = format!("table {table}, row {}", key.join(", "));
            match how {
                RowDifference::OnlyInOne => format!("{row} is only in A"),
                RowDifference::OnlyInOther => format!("{row} is only in B"),
                RowDifference::Columns(columns) => {
                    format!("{row} differs in {}", columns.join(", "))
                }
            }
        }
    }
}

pub(super) fn in_json(comparison: &Comparison) -> Value {
    let tables: Vec<Value> = comparison
        .tables
        .iter()
        .map(|table| {
            json!({
                "table": table.name,
                "rows": table.rows,
                "hash": table.hash,
                "equal": table.difference.is_none(),
                "difference": table.difference.as_ref().map(difference_in_json),
            })
        })
        .collect();
    json!({
        "equal": comparison.is_equal(),
        "position": comparison.position,
        "tables": tables,
    })
}

fn difference_in_json(difference: &Difference) -> Value {
    match difference {
        Difference::OnlyInOne => json!({"only_in": "a"}),
        Difference::OnlyInOther => json!({"only_in": "b"}),
        Difference::Columns { one, other } => json!({"columns": {"a": one, "b": other}}),
        Difference::Row { key, how } => {
            let key: serde_json::Map<String, Value> = key
                .iter()
                .map(|(column, value)| (column.clone(), Value::from(value.as_str())))
                .collect();
            match how {
                RowDifference::OnlyInOne => json!({"row": key, "only_in": "a"}),
                RowDifference::OnlyInOther => json!({"row": key, "only_in": "b"}),
                RowDifference::Columns(columns) => json!({"row": key, "columns": columns}),
            }
        }
    }
}
