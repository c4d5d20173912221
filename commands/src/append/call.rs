//! One call of `append_events`: a batch as arrays, the rows as outcomes.

use fido_domain::Position;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{Outcome, Submission};

/// Who calls, and what it knows of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) appender: Uuid,
    /// Grows whenever an answer did not come.
    pub(super) attempt: i64,
    /// The highest position that anything trusted has shown.
    pub(super) seen: Position,
    /// The epoch in which the commands were decided.
    pub(super) epoch: i32,
}

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    /// The outcome of each command, in order.
    Outcomes(Vec<Outcome>),
    /// The log ends at `head`, before what was seen.
    Diverged { head: Position },
    /// The log is in another epoch.
    Epoch(i32),
}

const SQL: &str = "select command, outcome, first_position, recorded, detail from append_events(\
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
     $21, $22, $23, $24, $25)";

/// Sends `batch` and waits for what became of it.
pub(super) async fn append_events(
    connection: &mut PgConnection,
    caller: Caller,
    batch: &[&Submission],
) -> Result<Answer, sqlx::Error> {
    let commands = Commands::of(batch);
    let events = Events::of(batch);
    let claims = Claims::of(batch);
    let receipts = Receipts::of(batch);
    let rows = sqlx::query(SQL)
        .bind(caller.appender)
        .bind(caller.attempt)
        .bind(caller.seen)
        .bind(caller.epoch)
        .bind(commands.ids)
        .bind(commands.types)
        .bind(commands.streams)
        .bind(commands.expected)
        .bind(commands.subjects)
        .bind(commands.counts)
        .bind(events.commands)
        .bind(events.indexes)
        .bind(events.types)
        .bind(events.versions)
        .bind(events.payloads)
        .bind(events.metadata)
        .bind(claims.commands)
        .bind(claims.kinds)
        .bind(claims.hashes)
        .bind(claims.takes)
        .bind(receipts.commands)
        .bind(receipts.accounts)
        .bind(receipts.keys)
        .bind(receipts.requests)
        .bind(receipts.statuses)
        .fetch_all(connection)
        .await?;
    answer(&rows, batch.len())
}

#[derive(Default)]
struct Commands<'a> {
    ids: Vec<Uuid>,
    types: Vec<&'a str>,
    streams: Vec<&'a str>,
    expected: Vec<i64>,
    subjects: Vec<Uuid>,
    counts: Vec<i64>,
}

impl<'a> Commands<'a> {
    fn of(batch: &[&'a Submission]) -> Self {
        let mut all = Self::default();
        for command in batch {
            all.ids.push(command.command_id);
            all.types.push(command.aggregate_type);
            all.streams.push(&command.aggregate_id);
            all.expected.push(command.expected);
            all.subjects.push(command.subject);
            all.counts.push(count(command));
        }
        all
    }
}

#[derive(Default)]
struct Events<'a> {
    commands: Vec<i32>,
    indexes: Vec<i64>,
    types: Vec<&'a str>,
    versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadata: Vec<&'a str>,
}

impl<'a> Events<'a> {
    fn of(batch: &[&'a Submission]) -> Self {
        let mut all = Self::default();
        for (command, n) in batch.iter().zip(1..) {
            for (event, i) in command.events.iter().zip(1..) {
                all.commands.push(n);
                all.indexes.push(i);
                all.types.push(&event.event_type);
                all.versions.push(&event.event_version);
                all.payloads.push(&event.payload);
                all.metadata.push(&command.metadata);
            }
        }
        all
    }
}

#[derive(Default)]
struct Claims<'a> {
    commands: Vec<i32>,
    kinds: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
    takes: Vec<bool>,
}

impl<'a> Claims<'a> {
    fn of(batch: &[&'a Submission]) -> Self {
        let mut all = Self::default();
        for (command, n) in batch.iter().zip(1..) {
            for claim in &command.claims {
                all.commands.push(n);
                all.kinds.push(&claim.kind);
                all.hashes.push(&claim.hash);
                all.takes.push(claim.take);
            }
        }
        all
    }
}

#[derive(Default)]
struct Receipts<'a> {
    commands: Vec<i32>,
    accounts: Vec<Uuid>,
    keys: Vec<&'a [u8]>,
    requests: Vec<&'a [u8]>,
    statuses: Vec<i16>,
}

impl<'a> Receipts<'a> {
    fn of(batch: &[&'a Submission]) -> Self {
        let mut all = Self::default();
        for (command, n) in batch.iter().zip(1..) {
            if let Some(receipt) = &command.receipt {
                all.commands.push(n);
                all.accounts.push(receipt.account_id);
                all.keys.push(&receipt.key_hash);
                all.requests.push(&receipt.request_hash);
                all.statuses.push(receipt.status.cast_signed());
            }
        }
        all
    }
}

fn count(command: &Submission) -> i64 {
    i64::try_from(command.events.len()).unwrap_or(i64::MAX)
}

fn answer(rows: &[PgRow], commands: usize) -> Result<Answer, sqlx::Error> {
    let mut outcomes = vec![None; commands];
    for row in rows {
        let command: i32 = row.try_get("command")?;
        let outcome: &str = row.try_get("outcome")?;
        let outcome = match outcome {
            "appended" => Outcome::Appended {
                first_position: row.try_get("first_position")?,
                recorded_at: row.try_get("recorded")?,
            },
            "conflict" => Outcome::Conflict,
            "claim_taken" => Outcome::ClaimTaken {
                kind: row.try_get("detail")?,
            },
            "receipt" => Outcome::ReceiptExists,
            "diverged" => {
                let head = row.try_get("first_position")?;
                return Ok(Answer::Diverged { head });
            }
            "epoch" => {
                let epoch: i64 = row.try_get("first_position")?;
                return Ok(Answer::Epoch(i32::try_from(epoch).map_err(unreadable)?));
            }
            unknown => return Err(unreadable(format!("the outcome {unknown}"))),
        };
        let place = usize::try_from(command - 1).map_err(unreadable)?;
        *outcomes
            .get_mut(place)
            .ok_or_else(|| unreadable("a command that was not sent"))? = Some(outcome);
    }
    outcomes
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .map(Answer::Outcomes)
        .ok_or_else(|| unreadable("fewer outcomes than commands"))
}

/// An answer that this build does not understand: a bug, or a schema from another time.
fn unreadable(what: impl ToString) -> sqlx::Error {
    sqlx::Error::Protocol(format!("append_events answered {}", what.to_string()))
}
