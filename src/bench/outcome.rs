//! What a bench of the read side found: one JSON document, a table on a terminal, or one plain line a
//! figure.

use std::io::IsTerminal;

use anyhow::Result;
use serde::Serialize;

use super::facts::Facts;
use super::figures::Spread;
use super::ratio::{self, Bound, Ratio};
use super::table::columns;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Outcome<S, C> {
    /// Which benchmark.
    pub(super) bench: &'static str,
    /// What it measures, in words.
    #[serde(skip)]
    pub(super) heading: Vec<String>,
    /// Where it was measured.
    pub(super) machine: Facts,
    /// What was chosen.
    pub(super) settings: S,
    /// What was measured of what.
    pub(super) cells: Vec<C>,
    /// What it is meant to reach.
    pub(super) goals: Vec<Goal>,
    /// What it comes to beside something known.
    pub(super) ratios: Vec<Ratio>,
}

/// One row of the table.
pub(super) trait Cell: Serialize {
    /// The names of its columns, those of numbers with their units.
    const HEAD: &'static [&'static str];
    /// How many columns at the beginning say what was measured.
    const NAMES: usize;

    /// What stands in the columns.
    fn row(&self) -> Vec<String>;
}

/// A figure that is meant to reach something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Goal {
    /// What, with its unit.
    pub(super) of: String,
    /// What it is: the median of the rounds.
    pub(super) found: f64,
    /// What is wanted.
    pub(super) to_reach: Bound,
    /// Whether it is so.
    pub(super) reached: bool,
}

impl Goal {
    /// Whether `found` is as wanted.
    pub(super) fn new(of: impl Into<String>, found: f64, to_reach: Bound) -> Self {
        Self {
            of: of.into(),
            found,
            to_reach,
            reached: match to_reach {
                Bound::AtLeast(least) => found >= least,
                Bound::AtMost(most) => found <= most,
            },
        }
    }

    /// One plain line.
    pub(super) fn words(&self) -> String {
        let Self {
            of,
            found,
            to_reach,
            reached,
        } = self;
        let reached = if *reached { "reached" } else { "not reached" };
        format!("goal {of}: {found}; to reach: {to_reach}; {reached}")
    }
}

/// How long something took, round by round.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Latency {
    /// What took so long.
    pub(super) of: &'static str,
    /// The median of each figure.
    #[serde(flatten)]
    pub(super) medians: Spread,
    /// The figures of each round.
    pub(super) rounds: Vec<Spread>,
}

impl Latency {
    /// Of these rounds.
    pub(super) fn new(of: &'static str, rounds: Vec<Spread>) -> Self {
        let medians = Spread::medians(&rounds);
        Self {
            of,
            medians,
            rounds,
        }
    }

    /// `figure` by that of `other`, round by round.
    pub(super) fn by(&self, other: &Self, name: &str, figure: impl Fn(&Spread) -> f64) -> Ratio {
        let rounds = self.rounds.iter().zip(&other.rounds);
        Ratio::of_rounds(
            format!("{name}, {} by {}", self.of, other.of),
            rounds.map(|(over, under)| (figure(over), figure(under))),
            None,
        )
    }
}

impl Cell for Latency {
    const HEAD: &'static [&'static str] = &["latency", "count", "p50 ms", "p99 ms", "max ms"];
    const NAMES: usize = 1;

    fn row(&self) -> Vec<String> {
        let figures = &self.medians;
        vec![
            self.of.to_owned(),
            figures.count.to_string(),
            format!("{:.2}", figures.p50_ms),
            format!("{:.2}", figures.p99_ms),
            format!("{:.2}", figures.max_ms),
        ]
    }
}

impl<S: Serialize, C: Cell> Outcome<S, C> {
    /// For scripts as JSON, for people in words.
    ///
    /// # Errors
    /// When a figure is none that JSON knows.
    pub(super) fn text(&self, json: bool) -> Result<String> {
        Ok(if json {
            serde_json::to_string_pretty(self)?
        } else if std::io::stdout().is_terminal() {
            self.table()
        } else {
            self.lines()
        })
    }

    fn table(&self) -> String {
        let mut rows = vec![C::HEAD.iter().map(|&name| name.to_owned()).collect()];
        rows.extend(self.cells.iter().map(Cell::row));
        let mut lines = self.heading();
        lines.push(String::new());
        lines.extend(columns(&rows, C::NAMES));
        lines.push(String::new());
        lines.extend(self.goals.iter().map(Goal::words));
        lines.push(String::new());
        lines.extend(ratio::table(&self.ratios));
        lines.join("\n")
    }

    fn lines(&self) -> String {
        let mut lines = self.heading();
        for cell in &self.cells {
            let columns = C::HEAD.iter().zip(cell.row());
            let words = columns
                .map(|(name, value)| {
                    format!("{}={}", name.replace(' ', "_"), value.replace(' ', "_"))
                })
                .collect::<Vec<_>>();
            lines.push(format!("cell {}", words.join(" ")));
        }
        lines.extend(self.goals.iter().map(Goal::words));
        lines.extend(self.ratios.iter().map(ToString::to_string));
        lines.join("\n")
    }

    fn heading(&self) -> Vec<String> {
        let machine = &self.machine;
        let mut lines = self.heading.clone();
        lines.push(format!(
            "PostgreSQL {}, fsync {} ({}), {} cores",
            machine.postgres("server_version"),
            machine.postgres("fsync"),
            machine.postgres("wal_sync_method"),
            machine.cores,
        ));
        if !machine.optimised {
            lines.push("this binary is not optimised: its figures say nothing".to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_at_its_bound() {
        let reached = |found, bound| Goal::new("x", found, bound).reached;
        assert!(reached(2.0, Bound::AtLeast(2.0)) && !reached(1.9, Bound::AtLeast(2.0)));
        assert!(reached(2.0, Bound::AtMost(2.0)) && !reached(2.1, Bound::AtMost(2.0)));
    }
}
