//! Appending: one call of `append_events` a command, and the truth about what became of it.

use std::time::Duration;

use fido_domain::Position;
use sqlx::{PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// How often an append is sent again when the line broke while the answer was awaited.
const TRIES: u32 = 6;
/// The pause before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A value that is to be unique across streams, such as an email address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What kind of value.
    pub kind: &'static str,
    /// Keyed hash of the value ([`crate::secrets::MasterKey::claim_hash`]).
    pub hash: Vec<u8>,
    /// Taken, or given back.
    pub take: bool,
}

/// Everything that is stored of one command.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) command_id: Uuid,
    pub(crate) aggregate_type: &'static str,
    pub(crate) aggregate_id: Uuid,
    /// The sequence the stream is expected to be at.
    pub(crate) expected: i64,
    pub(crate) subject: Uuid,
    pub(crate) event_types: Vec<String>,
    pub(crate) event_versions: Vec<String>,
    pub(crate) payloads: Vec<String>,
    pub(crate) metadata: String,
    pub(crate) claims: &'a [Claim],
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The events stand from `first_position` on.
    Appended {
        first_position: Position,
        recorded_at: OffsetDateTime,
    },
    /// The stream had moved on.
    Conflict,
    /// Another stream holds the claim of this kind.
    ClaimTaken { kind: String },
}

/// Appends `batch`. When the connection breaks the outcome is unknown, so the same call is made
/// again: the database recognises a command that it has already taken.
pub(crate) async fn append(pool: &PgPool, batch: &Batch<'_>) -> Result<Outcome, sqlx::Error> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match call(pool, batch).await {
            Err(error) if line_broke(&error) => {
                tracing::warn!(
                    command.id = %batch.command_id,
                    error = %error,
                    "the line to the event store broke during an append; asking again"
                );
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            settled => return settled,
        }
    }
    call(pool, batch).await
}

async fn call(pool: &PgPool, batch: &Batch<'_>) -> Result<Outcome, sqlx::Error> {
    let kinds: Vec<&str> = batch.claims.iter().map(|claim| claim.kind).collect();
    let hashes: Vec<&[u8]> = batch
        .claims
        .iter()
        .map(|claim| claim.hash.as_slice())
        .collect();
    let takes: Vec<bool> = batch.claims.iter().map(|claim| claim.take).collect();
    let row = sqlx::query(
        "select outcome, first_position, recorded, detail \
         from append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(batch.command_id)
    .bind(batch.aggregate_type)
    .bind(batch.aggregate_id.to_string())
    .bind(batch.expected)
    .bind(batch.subject)
    .bind(&batch.event_types)
    .bind(&batch.event_versions)
    .bind(&batch.payloads)
    .bind(&batch.metadata)
    .bind(kinds)
    .bind(hashes)
    .bind(takes)
    .fetch_one(pool)
    .await?;
    let outcome: String = row.try_get("outcome")?;
    match outcome.as_str() {
        "appended" => Ok(Outcome::Appended {
            first_position: row.try_get("first_position")?,
            recorded_at: row.try_get("recorded")?,
        }),
        "conflict" => Ok(Outcome::Conflict),
        "claim_taken" => Ok(Outcome::ClaimTaken {
            kind: row.try_get("detail")?,
        }),
        unknown => Err(sqlx::Error::Protocol(format!(
            "append_events answered {unknown}, which this build does not know"
        ))),
    }
}

/// Whether the error leaves open what the server did, or the server was just not there.
fn line_broke(error: &sqlx::Error) -> bool {
    // 57P01..57P03: the server is shutting down, crashed or not yet up; 08xxx: connection lost.
    let server_went = || {
        error
            .as_database_error()
            .and_then(|refusal| refusal.code())
            .is_some_and(|code| code.starts_with("57P0") || code.starts_with("08"))
    };
    matches!(error, sqlx::Error::Io(_)) || server_went()
}
