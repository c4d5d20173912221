//! Plans as seen: the list, and of each plan its sections, facts and generations, one file each.

mod changes;
mod details;
mod facts;
mod generation;
mod history;
mod revisions;
mod sections;

use fido_domain::Private;
use fido_domain::plan::{PlanStatus, Section};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::Query;
use crate::{FAR, ReadError, Snapshot, private, private_if_any};

pub(crate) use changes::Changes;
pub(crate) use facts::FACT_QUERIES;
pub use facts::{FactRow, facts};
pub(crate) use generation::GENERATION_QUERIES;
pub use generation::{
    GenerationRow, GenerationSectionRow, generation, generation_sections, generations,
    open_generations,
};
pub(crate) use history::HISTORY_QUERIES;
pub use history::history;
pub use revisions::{RevisionRow, revision, revisions};
pub(crate) use sections::SECTION_QUERIES;
pub use sections::{SectionRow, sections};

/// A plan, without what its sections say.
#[derive(Debug, Clone)]
pub struct PlanSummary {
    /// The plan.
    pub plan_id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// What it is called.
    pub title: Private<String>,
    /// What the business is called.
    pub business_name: Option<Private<String>>,
    /// What trade it is in.
    pub industry: Option<Private<String>>,
    /// Where it is.
    pub location: Option<Private<String>>,
    /// How far it has come.
    pub stage: Option<String>,
    /// What it is about, in a few words.
    pub summary: Option<Private<String>>,
    /// `active`, or `archived`.
    pub status: String,
    /// How many of the nine sections have a text.
    pub sections_written: i32,
    /// The plan's stream is this long.
    pub sequence: i64,
    /// When it was started.
    pub created_at: OffsetDateTime,
    /// When something last happened to it.
    pub updated_at: OffsetDateTime,
}

impl PlanSummary {
    /// How many of the nine sections have a text, in percent, rounded down.
    pub fn completion_percent(&self) -> i32 {
        const ALL: i32 = Section::ALL.len() as i32;
        self.sections_written * 100 / ALL
    }
}

/// The last line of a page of the list; the next page begins behind it.
#[derive(Debug, Clone, Copy)]
pub struct PlanCursor {
    /// When it was started.
    pub created_at: OffsetDateTime,
    /// Which it was.
    pub plan_id: Uuid,
}

pub(crate) const QUERIES: &[Query] = &[LIST, ONE, details::INSERT, details::UPDATE];

macro_rules! plans {
    ($rest:literal) => {
        concat!(
            "select plan_id, account_id, title, business_name, industry, location, stage, summary, \
                    status, sections_written, sequence, created_at, updated_at \
             from plans where account_id = $1 and ",
            $rest
        )
    };
}

const ONE: Query = Query::read("plan.one", plans!("plan_id = $2"));
const LIST: Query = Query::read(
    "plan.list",
    plans!(
        "($2::text is null or status = $2) and (created_at, plan_id) < ($3, $4) \
         order by created_at desc, plan_id desc limit $5"
    ),
);

/// Plans of `account_id` in `status`, or in any; the newest first.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn list(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    status: Option<PlanStatus>,
    before: Option<PlanCursor>,
    limit: i64,
) -> Result<Vec<PlanSummary>, ReadError> {
    let before = before.unwrap_or(PlanCursor {
        created_at: FAR,
        plan_id: Uuid::max(),
    });
    let rows = LIST
        .ask()
        .bind(account_id)
        .bind(status.map(PlanStatus::as_str))
        .bind(before.created_at)
        .bind(before.plan_id)
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter().map(|row| Ok(summary(row)?)).collect()
}

/// One plan, if it is one of `account_id`'s.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn one(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    plan_id: Uuid,
) -> Result<Option<PlanSummary>, ReadError> {
    let row = ONE
        .ask()
        .bind(account_id)
        .bind(plan_id)
        .fetch_optional(&mut *snapshot.transaction)
        .await?;
    Ok(row.as_ref().map(summary).transpose()?)
}

fn summary(row: &PgRow) -> Result<PlanSummary, sqlx::Error> {
    Ok(PlanSummary {
        plan_id: row.try_get("plan_id")?,
        account_id: row.try_get("account_id")?,
        title: private(row, "title")?,
        business_name: private_if_any(row, "business_name")?,
        industry: private_if_any(row, "industry")?,
        location: private_if_any(row, "location")?,
        stage: row.try_get("stage")?,
        summary: private_if_any(row, "summary")?,
        status: row.try_get("status")?,
        sections_written: row.try_get("sections_written")?,
        sequence: row.try_get("sequence")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// The section that a row is about.
fn section(row: &PgRow) -> Result<Section, sqlx::Error> {
    let name: &str = row.try_get("section")?;
    Section::ALL
        .into_iter()
        .find(|section| section.as_str() == name)
        .ok_or_else(|| sqlx::Error::Decode(format!("{name} is no section of a plan").into()))
}
