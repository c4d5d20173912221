//! What can be seen: read models on replicas, each exactly as far as its checkpoint says, the
//! projector that writes them, and the readers that the API and the co-pilots ask.

pub mod account;
pub mod analytics;
mod apply;
pub mod audit;
mod checkpoint;
pub mod conversation;
pub mod drift;
pub mod operation;
pub mod plan;
pub mod projector;
pub mod quarantine;
pub mod query;
pub mod rebuild;
pub mod replica;
pub mod rows;
pub mod timeline;
pub mod usage;
pub mod verify;
pub mod vocabulary;

pub use replica::{ReadError, Replica, Replicas, Snapshot};

use fido_domain::{Private, Recorded};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Executor, PgConnection, Row};
use time::OffsetDateTime;
use time::macros::datetime;

/// The schema of a replica; applied by its owner, never by the role that Fido runs as.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/replica");

/// The schema that holds the read models, for the `search_path` of every connection to a replica.
pub const SCHEMA: &str = "fido";

/// After everything: where a list that begins with the latest begins.
const FAR: OffsetDateTime = datetime!(9999-12-31 0:00 UTC);

/// Runs statements without arguments, one after the other.
async fn run_sql(replica: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    replica.execute(statements).await.map(drop)
}

/// An event as a replica keeps it, payload and metadata read as text.
fn recorded(row: &PgRow) -> Result<Recorded, sqlx::Error> {
    let json = |column: &str| {
        RawValue::from_string(row.try_get(column)?)
            .map_err(|error| sqlx::Error::Decode(error.into()))
    };
    Ok(Recorded {
        position: row.try_get("position")?,
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: row.try_get("sequence")?,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        payload: json("payload")?,
        metadata: json("metadata")?,
        recorded_at: row.try_get("recorded_at")?,
    })
}

/// Private content as a replica keeps it: sealed. Nothing here could open it.
fn private(row: &PgRow, column: &str) -> Result<Private<String>, sqlx::Error> {
    let Json(content) = row.try_get(column)?;
    Ok(content)
}

/// The same where there may be none.
fn private_if_any(row: &PgRow, column: &str) -> Result<Option<Private<String>>, sqlx::Error> {
    let content: Option<Json<_>> = row.try_get(column)?;
    Ok(content.map(|Json(content)| content))
}
