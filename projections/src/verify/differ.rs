//! The first row that two tables do not have in common, by key.

use std::cmp::Ordering;

use futures::{Stream, StreamExt};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::digest::{BUCKET, column_hash, key_hash};
use super::{Moment, Table, VerifyError};

/// How a table is not the same in two schemas. Names and keys, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Only the first has the table.
    OnlyInOne,
    /// Only the second has the table.
    OnlyInOther,
    /// It has other columns, or another key.
    Columns {
        /// Name and type of each column of the first.
        one: Vec<String>,
        /// And of the second.
        other: Vec<String>,
    },
    /// A row differs; it is the first by key that does.
    Row {
        /// Name and value of each column of its key.
        key: Vec<(String, String)>,
        /// How.
        how: RowDifference,
    },
}

/// How a row is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowDifference {
    /// The second has no such row.
    OnlyInOne,
    /// The first has no such row.
    OnlyInOther,
    /// These columns have other values.
    Columns(Vec<String>),
}

/// A row by its key and the hashes of its columns.
struct Hashed {
    key: Vec<String>,
    columns: Vec<Option<Vec<u8>>>,
}

/// The first row that differs among those in `buckets`, which are known to differ.
pub(super) async fn first(
    one: &mut Moment,
    other: &mut Moment,
    table: &Table,
    buckets: &[i32],
) -> Result<Option<Difference>, VerifyError> {
    let (sql, its_sql) = (in_order(one.schema, table), in_order(other.schema, table));
    let mut rows = hashed(&mut one.connection, &sql, buckets);
    let mut its_rows = hashed(&mut other.connection, &its_sql, buckets);
    let (mut row, mut its) = (next(&mut rows).await?, next(&mut its_rows).await?);
    loop {
        let (key, how) = match (&row, &its) {
            (None, None) => return Ok(None),
            (Some(row), None) => (&row.key, RowDifference::OnlyInOne),
            (None, Some(its)) => (&its.key, RowDifference::OnlyInOther),
            (Some(one), Some(other)) => match by_key(table, &one.key, &other.key) {
                Ordering::Less => (&one.key, RowDifference::OnlyInOne),
                Ordering::Greater => (&other.key, RowDifference::OnlyInOther),
                Ordering::Equal if one.columns == other.columns => {
                    (row, its) = (next(&mut rows).await?, next(&mut its_rows).await?);
                    continue;
                }
                Ordering::Equal => {
                    let pairs = one.columns.iter().zip(&other.columns);
                    let names = table.columns.iter().zip(pairs);
                    let differ = names.filter(|(_, (one, other))| one != other);
                    let names = differ.map(|(column, _)| column.name.clone()).collect();
                    (&one.key, RowDifference::Columns(names))
                }
            },
        };
        let names = table.key.iter().map(|column| column.name.clone());
        return Ok(Some(Difference::Row {
            key: names.zip(key.iter().cloned()).collect(),
            how,
        }));
    }
}

/// The query for the rows in some buckets, in an order that is the same on every server.
fn in_order(schema: &str, table: &Table) -> String {
    let list = |texts: Vec<String>| texts.join(", ");
    let quoted = |place: usize| format!("key_{place}");
    let keys: Vec<_> = table.key.iter().enumerate().collect();
    format!(
        "select array[{key_texts}] as key, columns from ( \
             select {keys}, {key_hash} as key_hash, array[{columns}] as columns \
               from {schema}.{table} offset 0) as hashed \
          where {BUCKET} = any($1) order by {order}",
        key_texts = list(
            keys.iter()
                .map(|(n, _)| format!("{}::text", quoted(*n)))
                .collect()
        ),
        keys = list(
            keys.iter()
                .map(|(n, key)| format!("{} as {}", key.quoted(), quoted(*n)))
                .collect()
        ),
        key_hash = key_hash(table),
        columns = list(
            table
                .columns
                .iter()
                .map(|column| column_hash(&column.quoted()))
                .collect()
        ),
        table = table.quoted(),
        order = list(
            keys.iter()
                .map(|(n, key)| if key.is_integer() {
                    quoted(*n)
                } else {
                    format!("{}::text collate \"C\"", quoted(*n))
                })
                .collect()
        ),
    )
}

/// Two keys in the order of [`in_order`].
fn by_key(table: &Table, one: &[String], other: &[String]) -> Ordering {
    let pairs = table.key.iter().zip(one.iter().zip(other));
    pairs
        .map(|(column, (one, other))| {
            if column.is_integer() {
                one.parse::<i64>().ok().cmp(&other.parse().ok())
            } else {
                one.as_bytes().cmp(other.as_bytes())
            }
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn hashed<'a>(
    replica: &'a mut PgConnection,
    sql: &'a str,
    buckets: &'a [i32],
) -> impl Stream<Item = Result<Hashed, sqlx::Error>> + Unpin + 'a {
    let rows = sqlx::query(sql).bind(buckets).fetch(replica);
    rows.map(|row| {
        let row: PgRow = row?;
        Ok(Hashed {
            key: row.try_get("key")?,
            columns: row.try_get("columns")?,
        })
    })
}

async fn next(
    rows: &mut (impl Stream<Item = Result<Hashed, sqlx::Error>> + Unpin),
) -> Result<Option<Hashed>, sqlx::Error> {
    rows.next().await.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::tables::Column;

    #[test]
    fn keys_sort_as_numbers_where_they_are_numbers() {
        let column = |name: &str, data_type: &str| Column {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
        };
        let key = vec![column("id", "uuid"), column("position", "bigint")];
        let table = Table {
            name: "timeline".to_owned(),
            columns: key.clone(),
            key,
        };
        let order = |one: [&str; 2], other: [&str; 2]| {
            by_key(&table, &one.map(str::to_owned), &other.map(str::to_owned))
        };
        assert!(order(["a", "9"], ["a", "10"]).is_lt());
        assert!(order(["b", "9"], ["a", "10"]).is_gt());
        assert!(order(["a", "9"], ["a", "9"]).is_eq());
    }
}
