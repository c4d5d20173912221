//! Everything that was found, as one JSON document.

use serde::Serialize;

use super::cells::{Cells, Store};
use super::ratios::ratios;
use super::settings::{Part, Settings};
use super::tally::{Log, Tally};
use crate::bench::facts::Facts;
use crate::bench::figures::rounded;
use crate::bench::outcome::Goal;
use crate::bench::ratio::{Bound, Ratio};

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Which benchmark.
    pub(super) bench: &'static str,
    /// Where it was measured.
    pub(super) machine: Facts,
    /// What was chosen.
    pub(super) settings: Settings,
    /// What it costs to have one commit on the disk before it is acknowledged: the median latency of
    /// one raw insert, less that of one that is flushed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flush_ms: Option<f64>,
    /// What was measured of whom.
    pub(super) cells: Cells,
    /// What it comes to.
    pub(super) ratios: Vec<Ratio>,
    /// What it is meant to reach beside those.
    pub(super) goals: Vec<Goal>,
    /// Whether the logs hold what was acknowledged, and how large an event is in each.
    pub(super) logs: Vec<Log>,
}

impl Report {
    pub(super) fn of(machine: Facts, settings: &Settings, cells: Cells, tally: Tally) -> Self {
        Self {
            bench: "append",
            machine,
            settings: settings.clone(),
            flush_ms: flush_ms(&cells),
            ratios: ratios(&cells),
            goals: far_away(&cells).into_iter().collect(),
            cells,
            logs: tally.logs().to_vec(),
        }
    }
}

/// How long the slowest wait where many processes are far away.
fn far_away(cells: &Cells) -> Option<Goal> {
    let cell = cells.of(Part::Distance).next()?;
    Some(Goal::new(
        format!("p99 of {} processes 5 ms away, ms", cell.subject.processes),
        cell.medians.p99_ms,
        Bound::AtMost(500.0),
    ))
}

fn flush_ms(cells: &Cells) -> Option<f64> {
    let latency = |store| {
        let mut contest = cells.of(Part::Contest);
        let cell = contest.find(|cell| cell.subject.in_flight == 1 && cell.subject.store == store);
        cell.map(|cell| cell.medians.p50_ms)
    };
    let flushed = latency(Store::RawInsert)?;
    let unflushed = latency(Store::RawInsertUnflushed)?;
    Some(rounded(flushed - unflushed, 1000.0))
}
