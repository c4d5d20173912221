//! What the watch over a replica has found, as `fido status` shows it.

use fido_domain::Position;
use fido_projections::drift::Drift;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the last look whether a replica holds what the log says has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriftStatus {
    /// At which position.
    pub position: Position,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    /// How many streams were looked at.
    pub streams: usize,
    /// How many of them are not as the log says.
    pub differing: usize,
    /// The first of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<DriftedStatus>,
}

/// A stream that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriftedStatus {
    /// Its kind.
    pub aggregate_type: String,
    /// Which it is.
    pub aggregate_id: Uuid,
    /// In which table.
    pub table: String,
}

impl DriftStatus {
    pub(super) fn of(drift: Drift) -> Self {
        Self {
            position: drift.position,
            checked_at: drift.checked_at,
            streams: drift.streams,
            differing: drift.differing,
            first: drift.first.map(|first| DriftedStatus {
                aggregate_type: first.aggregate_type,
                aggregate_id: first.aggregate_id,
                table: first.table,
            }),
        }
    }
}

/// What is wrong, if something is.
pub(super) fn in_words(drift: &Drift) -> Option<String> {
    let first = drift.first.as_ref()?;
    Some(format!(
        "{} of {} streams are not as the log says at {}, such as {} {} in {}",
        drift.differing,
        drift.streams,
        drift.position,
        first.aggregate_type,
        first.aggregate_id,
        first.table
    ))
}
