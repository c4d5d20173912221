//! What was measured of whom, round by round.

use std::fmt;

use serde::Serialize;

use super::settings::Part;
use crate::bench::figures::Figures;
use crate::bench::load::Load;

/// Who stores events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Store {
    /// Fido's event store.
    Fido,
    /// cqrs-es with postgres-es.
    PostgresEs,
    /// One insert of one row a command.
    RawInsert,
    /// The same, acknowledged before it is on the disk.
    RawInsertUnflushed,
}

impl Store {
    /// As in the JSON.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fido => "fido",
            Self::PostgresEs => "postgres_es",
            Self::RawInsert => "raw_insert",
            Self::RawInsertUnflushed => "raw_insert_unflushed",
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one cell is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Subject {
    /// In which comparison.
    pub(super) part: Part,
    /// Who stores.
    pub(super) store: Store,
    /// Commands in flight, of all processes together.
    pub(super) in_flight: usize,
    /// Processes that append.
    pub(super) processes: usize,
    /// Events that the log held before, where that is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events_before: Option<i64>,
}

/// One subject with its rounds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    /// What it is about.
    #[serde(flatten)]
    pub(super) subject: Subject,
    /// The medians of its rounds.
    #[serde(flatten)]
    pub(super) medians: Figures,
    /// Commands that were issued again because somebody else was faster.
    pub(super) conflicts: u64,
    /// What each round came to.
    pub(super) rounds: Vec<Figures>,
}

/// Everything measured, in the order in which it was measured first.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Cells(Vec<Cell>);

impl Cells {
    /// Adds a round to its cell.
    pub(super) fn record(&mut self, subject: Subject, load: &Load) -> Figures {
        let figures = Figures::of(load);
        match self.0.iter_mut().find(|cell| cell.subject == subject) {
            Some(cell) => {
                cell.rounds.push(figures);
                cell.medians = Figures::medians(&cell.rounds);
                cell.conflicts += load.conflicts;
            }
            None => self.0.push(Cell {
                subject,
                medians: figures,
                conflicts: load.conflicts,
                rounds: vec![figures],
            }),
        }
        figures
    }

    /// The cells of one part, in order.
    pub(super) fn of(&self, part: Part) -> impl Iterator<Item = &Cell> {
        self.0.iter().filter(move |cell| cell.subject.part == part)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Cell> {
        self.0.iter()
    }
}
