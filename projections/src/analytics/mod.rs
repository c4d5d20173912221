//! What analysts see: views in a schema of their own, which stays when the replica's is rebuilt. Each
//! is defined, described and granted in a file of its own in `migrations/analytics/`.

mod csv;
mod describe;
mod markdown;
mod rows;

use sqlx::PgConnection;
use time::Date;

use crate::run_sql;

pub use csv::{Csv, csv};
pub use describe::{Column, Description, descriptions};
pub use markdown::markdown;
pub use rows::{Row, rows};

/// The schema of the views.
pub const SCHEMA: &str = "analytics";
/// The role that may read the views and nothing else.
pub const ROLE: &str = "analyst";

const ROLE_AND_SCHEMA: &str = include_str!("../../../migrations/analytics/schema.sql");

/// A view for analysts.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    /// Its name in [`SCHEMA`].
    pub name: &'static str,
    /// The column with the day that a row is about, or the first of the month; none where rows are
    /// about now.
    pub day: Option<&'static str>,
    /// The columns that tell its rows apart, in the order in which they are shown.
    pub key: &'static [&'static str],
    definition: &'static str,
}

macro_rules! view {
    ($name:literal, $day:expr, $key:expr) => {
        View {
            name: $name,
            day: $day,
            key: $key,
            definition: include_str!(concat!("../../../migrations/analytics/", $name, ".sql")),
        }
    };
}

/// All of them, in the order in which they are described.
pub static VIEWS: [View; 10] = [
    view!("daily_actives", Some("day"), &["day", "audience"]),
    view!(
        "messages_by_day",
        Some("day"),
        &["day", "audience", "copilot"]
    ),
    view!(
        "reply_latency",
        Some("day"),
        &["day", "audience", "copilot"]
    ),
    view!(
        "model_usage",
        Some("day"),
        &["day", "audience", "copilot", "model"]
    ),
    view!(
        "plan_funnel",
        Some("month"),
        &["month", "audience", "step_number"]
    ),
    view!(
        "section_completion_times",
        Some("month"),
        &["month", "audience", "section"]
    ),
    view!("plan_generations", Some("day"), &["day", "audience"]),
    view!(
        "events_by_day",
        Some("day"),
        &["day", "audience", "aggregate_type", "event_type"]
    ),
    view!("quarantine", None, &["aggregate_type", "event_type"]),
    view!("replica_health", None, &["as_of_position"]),
];

/// The view of that name.
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}

/// Which days are asked for; all of them where there is no bound.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    /// The first day.
    pub from: Option<Date>,
    /// The day after the last one.
    pub to: Option<Date>,
}

/// Makes role, schema and views, or brings them up to date, as the owner of the replica's database.
/// A view stays the same object, so what was granted on it and built on it stays too.
///
/// # Errors
/// What the database says; each view is replaced whole or not at all.
pub async fn define(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    /// Any number that nobody else uses in a replica's database.
    const DEFINING: i64 = 0x6669_646f_0002;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(DEFINING)
        .execute(&mut *owner)
        .await?;
    let defined = define_all(owner).await;
    sqlx::query("select pg_advisory_unlock($1)")
        .bind(DEFINING)
        .execute(owner)
        .await?;
    defined
}

async fn define_all(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    run_sql(owner, ROLE_AND_SCHEMA).await?;
    for view in &VIEWS {
        run_sql(owner, view.definition).await?;
    }
    Ok(())
}

/// Makes of the transaction one of the analyst, whatever its session may do otherwise. `timeout` is in
/// milliseconds.
async fn as_analyst(replica: &mut PgConnection, timeout: u32) -> Result<(), sqlx::Error> {
    let statements = format!(
        "set local statement_timeout = {timeout}; set local timezone = 'UTC'; set local role {ROLE}"
    );
    run_sql(replica, &statements).await
}
