//! Generations: what the co-pilots were asked to write, and how far they have come.

mod write;

use fido_domain::plan::Section;
use fido_domain::{Position, Private};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use super::section;
use crate::query::Query;
use crate::{ReadError, Snapshot, private_if_any};

pub(super) use write::Changes;

/// The most open generations that are answered at a time.
const OPEN_LIMIT: i64 = 200;

/// A generation.
#[derive(Debug, Clone)]
pub struct GenerationRow {
    /// Which.
    pub generation_id: Uuid,
    /// The plan it writes for.
    pub plan_id: Uuid,
    /// `requested`, `started`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// How many workers have begun it.
    pub attempt: i32,
    /// What it is to heed.
    pub instructions: Option<Private<String>>,
    /// Why it failed, as a stable code.
    pub failure: Option<String>,
    /// Tokens of the prompts so far.
    pub input_tokens: i64,
    /// Tokens of the answers so far.
    pub output_tokens: i64,
    /// When it was asked for.
    pub requested_at: OffsetDateTime,
    /// When a worker first began it.
    pub started_at: Option<OffsetDateTime>,
    /// When it was completed, failed or cancelled.
    pub ended_at: Option<OffsetDateTime>,
    /// Where it was asked for.
    pub position: Position,
}

/// A section that a generation was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationSectionRow {
    /// Which.
    pub section: Section,
    /// `pending`, `drafted`, `skipped` or `failed`.
    pub outcome: String,
    /// Why it was not taken or could not be written, as a stable code.
    pub reason: Option<String>,
}

pub(crate) const GENERATION_QUERIES: &[Query] = &[
    ONE,
    NEWEST,
    SECTIONS,
    OPEN,
    write::INSERT,
    write::UPDATE,
    write::SECTION_INSERT,
    write::SECTION_UPDATE,
];

macro_rules! generations {
    ($rest:literal) => {
        concat!(
            "select generation_id, plan_id, status, attempt, instructions, failure, input_tokens, \
                    output_tokens, requested_at, started_at, ended_at, position \
             from generations where plan_id = $1 and ",
            $rest
        )
    };
}

const ONE: Query = Query::read("generation.one", generations!("generation_id = $2"));
const NEWEST: Query = Query::read(
    "generation.newest_first",
    generations!("position < $2 order by position desc limit $3"),
);
const SECTIONS: Query = Query::read(
    "generation.sections",
    "select section, outcome, reason from generation_sections \
     where plan_id = $1 and generation_id = $2",
);
const OPEN: Query = Query::read(
    "generation.open",
    "select position from generations where status in ('requested', 'started') and position < $1 \
     order by position limit $2",
);

/// Up to `limit` generations of a plan, those before position `before`, the latest first.
///
/// Whose plan it is the caller has asked before ([`super::one`]).
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn generations(
    snapshot: &mut Snapshot,
    plan_id: Uuid,
    before: Option<Position>,
    limit: i64,
) -> Result<Vec<GenerationRow>, ReadError> {
    let rows = NEWEST
        .ask()
        .bind(plan_id)
        .bind(before.unwrap_or(Position::MAX))
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter().map(|row| Ok(read(row)?)).collect()
}

/// One generation of a plan.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn generation(
    snapshot: &mut Snapshot,
    plan_id: Uuid,
    generation_id: Uuid,
) -> Result<Option<GenerationRow>, ReadError> {
    let row = ONE
        .ask()
        .bind(plan_id)
        .bind(generation_id)
        .fetch_optional(&mut *snapshot.transaction)
        .await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// The sections that a generation was asked for, in the order of the plan.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn generation_sections(
    snapshot: &mut Snapshot,
    plan_id: Uuid,
    generation_id: Uuid,
) -> Result<Vec<GenerationSectionRow>, ReadError> {
    let rows = SECTIONS
        .ask()
        .bind(plan_id)
        .bind(generation_id)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    let mut sections = Vec::with_capacity(rows.len());
    for row in &rows {
        sections.push(GenerationSectionRow {
            section: section(row)?,
            outcome: row.try_get("outcome")?,
            reason: row.try_get("reason")?,
        });
    }
    sections.sort_by_key(|row| row.section);
    Ok(sections)
}

/// Where in the log, before `before`, generations were asked for that nobody has finished: the oldest
/// first, a few hundred at most.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn open_generations(
    snapshot: &mut Snapshot,
    before: Position,
) -> Result<Vec<Position>, ReadError> {
    let rows = OPEN
        .ask()
        .bind(before)
        .bind(OPEN_LIMIT)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter()
        .map(|row| Ok(row.try_get("position")?))
        .collect()
}

fn read(row: &PgRow) -> Result<GenerationRow, sqlx::Error> {
    Ok(GenerationRow {
        generation_id: row.try_get("generation_id")?,
        plan_id: row.try_get("plan_id")?,
        status: row.try_get("status")?,
        attempt: row.try_get("attempt")?,
        instructions: private_if_any(row, "instructions")?,
        failure: row.try_get("failure")?,
        input_tokens: row.try_get("input_tokens")?,
        output_tokens: row.try_get("output_tokens")?,
        requested_at: row.try_get("requested_at")?,
        started_at: row.try_get("started_at")?,
        ended_at: row.try_get("ended_at")?,
        position: row.try_get("position")?,
    })
}
