//! The rows of a view, a page at a time.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Row as _, postgres::PgRow};

use super::{SCHEMA, View, Window, as_analyst};
use crate::{ReadError, Snapshot};

/// A query that takes longer has failed, in milliseconds. Less than [`Replicas::ask`] waits.
///
/// [`Replicas::ask`]: crate::Replicas::ask
const TIMEOUT: u32 = 8_000;

/// A row of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its columns by name.
    pub columns: Value,
    /// What tells it from the others, for where the next page begins.
    pub key: Vec<String>,
}

/// Up to `limit` rows of `view` behind the one with the key `after`.
///
/// # Errors
/// [`ReadError::Unavailable`], also when it takes too long.
pub async fn rows(
    snapshot: &mut Snapshot,
    view: &View,
    window: Window,
    after: Option<&[String]>,
    limit: i64,
) -> Result<Vec<Row>, ReadError> {
    as_analyst(&mut snapshot.transaction, TIMEOUT).await?;
    let found = sqlx::query(&statement(view))
        .bind(window.from)
        .bind(window.to)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    let row = |row: &PgRow| -> Result<Row, sqlx::Error> {
        let Json(columns) = row.try_get("columns")?;
        let key = row.try_get("key")?;
        Ok(Row { columns, key })
    };
    Ok(found.iter().map(row).collect::<Result<_, _>>()?)
}

fn statement(view: &View) -> String {
    let (name, key) = (view.name, key(view));
    let day = match view.day {
        Some(day) => format!("v.{day}"),
        None => "null::date".to_owned(),
    };
    format!(
        "select row_to_json(v) as columns, {key} as key from {SCHEMA}.{name} v \
          where ($1::date is null or {day} >= $1) and ($2::date is null or {day} < $2) \
            and ($3::text[] is null or {key} > $3) \
          order by {key} limit $4"
    )
}

/// The key of a row as an array of texts, which sorts alike on every server.
pub(super) fn key(view: &View) -> String {
    let columns = view.key.iter();
    let columns: Vec<_> = columns
        .map(|column| format!("v.{column}::text collate \"C\""))
        .collect();
    format!("array[{}]", columns.join(", "))
}
