//! Which tables follow from the log, and what is in them, as the catalogue has it.

use sqlx::{PgConnection, Row};

use super::VerifyError;
use crate::operation::OPERATIONAL_TABLES;

/// A table as far as its content is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// Its columns, by name.
    pub(crate) columns: Vec<Column>,
    /// The columns of its primary key, in the key's order.
    pub(crate) key: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// Its type, as PostgreSQL writes it.
    pub(crate) data_type: String,
}

impl Column {
    /// As it is written in a query.
    pub(crate) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    /// Whether it sorts as a number, here and on the server.
    pub(super) fn is_integer(&self) -> bool {
        matches!(self.data_type.as_str(), "smallint" | "integer" | "bigint")
    }
}

impl Table {
    /// As it is written in a query, after its schema.
    pub(crate) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    /// Its columns in words.
    pub(super) fn described(&self) -> Vec<String> {
        let words = |column: &Column| format!("{} {}", column.name, column.data_type);
        self.columns.iter().map(words).collect()
    }
}

/// The tables in `schema` whose rows follow from the log, by name.
pub(crate) async fn tables(
    replica: &mut PgConnection,
    schema: &str,
) -> Result<Vec<Table>, VerifyError> {
    let found = sqlx::query(
        "select c.relname::text as name, \
                array(select a.attname::text from pg_attribute a \
                       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
                       order by a.attname::text collate \"C\") as columns, \
                array(select format_type(a.atttypid, a.atttypmod) from pg_attribute a \
                       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
                       order by a.attname::text collate \"C\") as types, \
                array(select a.attname::text from pg_index i \
                       cross join unnest(i.indkey) with ordinality as k (attnum, place) \
                       join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum \
                       where i.indrelid = c.oid and i.indisprimary order by k.place) as key \
           from pg_class c \
          where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p') \
            and not c.relispartition and c.relname <> all($2) \
          order by c.relname::text collate \"C\"",
    )
    .bind(schema)
    .bind(OPERATIONAL_TABLES.as_slice())
    .fetch_all(replica)
    .await?;
    found
        .iter()
        .map(|row| {
            let name: String = row.try_get("name")?;
            let names: Vec<String> = row.try_get("columns")?;
            let types: Vec<String> = row.try_get("types")?;
            let column = |(name, data_type)| Column { name, data_type };
            let columns: Vec<Column> = names.into_iter().zip(types).map(column).collect();
            let key: Vec<String> = row.try_get("key")?;
            let key: Vec<Column> = key
                .iter()
                .filter_map(|name| columns.iter().find(|column| column.name == *name))
                .cloned()
                .collect();
            if key.is_empty() {
                return Err(VerifyError::NoKey { table: name });
            }
            Ok(Table { name, columns, key })
        })
        .collect()
}

/// All tables in `schema`, quoted.
pub(crate) async fn all_tables(
    replica: &mut PgConnection,
    schema: &str,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select quote_ident(relname) from pg_class \
          where relnamespace = to_regnamespace($1) and relkind in ('r', 'p') and not relispartition \
          order by relname",
    )
    .bind(schema)
    .fetch_all(replica)
    .await
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
