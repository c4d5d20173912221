//! What the views say of themselves, as it stands in the catalogue of the database.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{SCHEMA, VIEWS};

/// Before the example in the comment on a view.
const EXAMPLE: &str = "\n\nExample:\n";

/// What a view says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The view.
    pub view: &'static str,
    /// What it shows.
    pub meaning: String,
    /// A query that an analyst may begin with.
    pub example: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as PostgreSQL writes it.
    pub data_type: String,
    /// What it says; empty when nobody has written it down.
    pub meaning: String,
}

/// The descriptions of all views, in their order.
///
/// # Errors
/// What the database says; a view that is not there has no columns.
pub async fn descriptions(replica: &mut PgConnection) -> Result<Vec<Description>, sqlx::Error> {
    let mut described = Vec::with_capacity(VIEWS.len());
    for view in &VIEWS {
        let name = format!("{SCHEMA}.{}", view.name);
        let comment: Option<String> =
            sqlx::query_scalar("select obj_description(to_regclass($1), 'pg_class')")
                .bind(&name)
                .fetch_one(&mut *replica)
                .await?;
        let comment = comment.unwrap_or_default();
        let (meaning, example) = comment.split_once(EXAMPLE).unwrap_or((&comment, ""));
        let columns = sqlx::query(
            "select attname::text as name, format_type(atttypid, atttypmod) as data_type, \
                    coalesce(col_description(attrelid, attnum), '') as meaning \
               from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped \
              order by attnum",
        )
        .bind(&name)
        .fetch_all(&mut *replica)
        .await?;
        described.push(Description {
            view: view.name,
            meaning: meaning.to_owned(),
            example: example.to_owned(),
            columns: columns.iter().map(column).collect::<Result<_, _>>()?,
        });
    }
    Ok(described)
}

fn column(row: &PgRow) -> Result<Column, sqlx::Error> {
    Ok(Column {
        name: row.try_get("name")?,
        data_type: row.try_get("data_type")?,
        meaning: row.try_get("meaning")?,
    })
}
