//! Whether two schemas hold the same rows, found out by hashing every table at one position.
//!
//! Every row is hashed (SHA-256) over its columns, in the order of their names, each written as text
//! with its length before it. The hashes of a table are summed up by *bucket*, a slice of its keys, so
//! the physical order of rows does not count, a row that is there twice counts twice, and a bucket that
//! differs tells where to look. Only hashes, keys and names of columns leave the database.

mod differ;
mod digest;
mod moment;
mod tables;

use std::collections::BTreeMap;

use fido_commands::log::{Log, LogError};
use fido_domain::Position;
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;

use crate::SCHEMA;
use crate::rebuild::{self, FRESH, Progress, RebuildError, Shadow, Told};

pub use differ::{Difference, RowDifference};
pub(crate) use digest::row_hash;
pub(crate) use moment::{Moment, pin_text, position};
pub(crate) use tables::{Table, all_tables, tables};

/// Why two schemas were not compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no replica in the database.
    #[error("there is no replica in schema {schema} of {of}")]
    NoReplica {
        /// Which schema.
        schema: &'static str,
        /// Whose database.
        of: String,
    },
    /// They show different logs.
    #[error("the two replicas show different logs")]
    OtherLog,
    /// They were never at one position.
    #[error(
        "the two replicas stood at {one} and {other} and did not come to one position in time: try again when \
         less is written, or verify each against a fresh replay"
    )]
    Apart {
        /// Where one was last.
        one: Position,
        /// Where the other was.
        other: Position,
    },
    /// A table has no key by which rows could be told apart.
    #[error("the table {table} has no primary key")]
    NoKey {
        /// Which.
        table: String,
    },
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The fresh replay failed.
    #[error(transparent)]
    Rebuild(#[from] Box<RebuildError>),
    /// A database refused or was not there.
    #[error("the replica cannot be read")]
    Database(#[from] sqlx::Error),
}

impl From<RebuildError> for VerifyError {
    fn from(error: RebuildError) -> Self {
        Self::Rebuild(Box::new(error))
    }
}

/// Two schemas, compared at one position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The position.
    pub position: Position,
    /// Every table that follows from the log, by name.
    pub tables: Vec<ComparedTable>,
}

impl Comparison {
    /// Whether every table is the same in both.
    pub fn is_equal(&self) -> bool {
        self.first_difference().is_none()
    }

    /// The first table that is not the same, and what is not the same in it.
    pub fn first_difference(&self) -> Option<(&str, &Difference)> {
        self.tables.iter().find_map(|table| {
            let difference = table.difference.as_ref()?;
            Some((table.name.as_str(), difference))
        })
    }
}

/// One table in both schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedTable {
    /// Its name.
    pub name: String,
    /// How many rows the first has; none where it has no such table.
    pub rows: Option<u64>,
    /// The hash of the first's rows, 32 hexadecimal digits; the same for equal rows on every server.
    pub hash: Option<String>,
    /// The first difference between the two, by key; none when they are equal.
    pub difference: Option<Difference>,
}

/// Compares two moments, which belong to one position, table by table.
pub(crate) async fn compare(
    one: &mut Moment,
    other: &mut Moment,
    told: &(dyn Fn(&str) + Sync),
) -> Result<Comparison, VerifyError> {
    let mut both: BTreeMap<String, (Option<Table>, Option<Table>)> = BTreeMap::new();
    for table in one.tables().await? {
        let name = table.name.clone();
        both.entry(name).or_default().0 = Some(table);
    }
    for table in other.tables().await? {
        let name = table.name.clone();
        both.entry(name).or_default().1 = Some(table);
    }
    let mut compared = Vec::with_capacity(both.len());
    for (name, tables) in both {
        told(&name);
        compared.push(compare_table(one, other, name, tables).await?);
    }
    Ok(Comparison {
        position: one.position(),
        tables: compared,
    })
}

async fn compare_table(
    one: &mut Moment,
    other: &mut Moment,
    name: String,
    tables: (Option<Table>, Option<Table>),
) -> Result<ComparedTable, VerifyError> {
    let (table, difference) = match tables {
        (Some(table), Some(its)) if table != its => {
            let difference = Difference::Columns {
                one: table.described(),
                other: its.described(),
            };
            (Some(table), Some(difference))
        }
        (table, None) => (table, Some(Difference::OnlyInOne)),
        (None, Some(_)) => (None, Some(Difference::OnlyInOther)),
        (table, Some(_)) => (table, None),
    };
    let Some(table) = table else {
        return Ok(ComparedTable {
            name,
            rows: None,
            hash: None,
            difference,
        });
    };
    if difference.is_some() {
        let digest = one.digest(&table).await?;
        return Ok(ComparedTable {
            name,
            rows: Some(digest.rows()),
            hash: Some(digest.hash()),
            difference,
        });
    }
    let (digest, its) = tokio::try_join!(one.digest(&table), other.digest(&table))?;
    let buckets = digest.differing(&its);
    let difference = if buckets.is_empty() {
        None
    } else {
        differ::first(one, other, &table, &buckets).await?
    };
    Ok(ComparedTable {
        name,
        rows: Some(digest.rows()),
        hash: Some(digest.hash()),
        difference,
    })
}

/// Compares the replica at `one` with the replica at `other`, as soon as both are at one position.
///
/// # Errors
/// [`VerifyError`].
pub async fn against(
    one: &PgConnectOptions,
    other: &PgConnectOptions,
    told: Told<'_>,
) -> Result<Comparison, VerifyError> {
    let (mut one, mut other) = moment::at_one_position(one, other).await?;
    compare(&mut one, &mut other, &|table| comparing(told, table)).await
}

/// Compares the replica at `place`, which is reached as the owner of its schema, with a replay of the
/// log from position 1 into a schema of its own. `build` as in [`rebuild::Rebuild::begin`].
///
/// # Errors
/// [`VerifyError`].
pub async fn against_fresh(
    place: &PgConnectOptions,
    log: &Log,
    build: &str,
    told: Told<'_>,
) -> Result<Comparison, VerifyError> {
    let mut owner = rebuild::lock(place).await?;
    let mut shadow = Shadow::open(&mut owner, place, FRESH, build).await?;
    let comparison = replay_and_compare(place, log, &mut shadow, told).await;
    rebuild::drop_schema(&mut owner, FRESH).await?;
    comparison
}

async fn replay_and_compare(
    place: &PgConnectOptions,
    log: &Log,
    shadow: &mut Shadow,
    told: Told<'_>,
) -> Result<Comparison, VerifyError> {
    let no_replica = || VerifyError::NoReplica {
        schema: SCHEMA,
        of: place.get_database().unwrap_or_default().to_owned(),
    };
    // A snapshot that is held for long keeps the database from tidying up: come near before.
    let near = Moment::of(place, SCHEMA).await?.ok_or_else(no_replica)?;
    let near = near.position();
    rebuild::replay_fresh(shadow, log, near, told).await?;
    let mut live = Moment::of(place, SCHEMA).await?.ok_or_else(no_replica)?;
    rebuild::replay_fresh(shadow, log, live.position(), told).await?;
    let mut fresh = Moment::of(place, FRESH)
        .await?
        .ok_or(VerifyError::NoReplica {
            schema: FRESH,
            of: String::new(),
        })?;
    if live.position() != fresh.position() {
        return Err(VerifyError::Apart {
            one: live.position(),
            other: fresh.position(),
        });
    }
    compare(&mut live, &mut fresh, &|table| comparing(told, table)).await
}

fn comparing(told: Told<'_>, table: &str) {
    told(Progress::Comparing {
        table: table.to_owned(),
    });
}

/// Runs a query that names a table and columns found in the catalogue.
async fn rows_of(
    connection: &mut PgConnection,
    sql: &str,
) -> Result<Vec<sqlx::postgres::PgRow>, sqlx::Error> {
    sqlx::query(sql).fetch_all(connection).await
}
