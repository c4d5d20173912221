//! What is measured, how long and how often.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::distance;
use crate::bench::server::ServerArgs;

/// Connections beside those of the measured: administration, and what is still closing.
const SPARE_CONNECTIONS: usize = 64;
/// The log of `--large`.
const LARGE: i64 = 10_000_000;

/// `fido bench append`.
#[derive(Debug, Args)]
pub struct AppendArgs {
    /// Which server is measured.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Only these parts; all of them by default.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Commands in flight; 1, 16, 64 and 256 by default.
    #[arg(long, value_delimiter = ',', value_name = "N,…")]
    pub in_flight: Vec<usize>,
    /// Streams that are written to; 2000 by default.
    #[arg(long)]
    pub streams: Option<usize>,
    /// How long each measurement takes, after its warm-up; 5 by default.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// How often each is repeated, in turns with the others, for medians; 3 times by default.
    #[arg(long)]
    pub rounds: Option<usize>,
    /// Processes that append at once, against one; 4 by default, and 1 leaves that out.
    #[arg(long)]
    pub processes: Option<usize>,
    /// Also with 10 million events already in the log (about 15 GB of disk).
    #[arg(long)]
    pub large: bool,
    /// A short run that shows that everything works; its figures say little.
    #[arg(long)]
    pub quick: bool,
    /// One JSON document, for scripts.
    #[arg(long)]
    pub json: bool,
}

/// What can be measured on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Fido's store, postgres-es and single-row inserts against each other.
    Contest,
    /// Several processes against one.
    Processes,
    /// Many processes that are not in a hurry, each 5 ms from the database.
    Distance,
    /// A log that holds much already against one that does not.
    Growth,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contest => "contest",
            Self::Processes => "processes",
            Self::Distance => "distance",
            Self::Growth => "growth",
        })
    }
}

/// What was chosen.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Settings {
    /// What is measured.
    pub(super) parts: Vec<Part>,
    /// Commands in flight in the contest.
    pub(super) in_flight: Vec<usize>,
    /// Commands in flight where processes or logs are compared.
    pub(super) in_flight_elsewhere: usize,
    /// Streams that are written to, new ones for each measurement.
    pub(super) streams: usize,
    /// How long each measurement takes.
    pub(super) seconds: f64,
    /// How often each is repeated.
    pub(super) rounds: usize,
    /// Processes that append at once.
    pub(super) processes: usize,
    /// Events that logs hold before they are measured, ascending.
    pub(super) events_before: Vec<i64>,
}

impl Settings {
    /// Fills in what was not said.
    ///
    /// # Errors
    /// When what was said cannot be measured.
    pub(super) fn of(args: &AppendArgs) -> Result<Self> {
        let (full, quick) = (Self::full(), Self::quick());
        let base = if args.quick { quick } else { full };
        let or = |said: &Vec<usize>, base| if said.is_empty() { base } else { said.clone() };
        let settings = Self {
            parts: if args.only.is_empty() {
                base.parts
            } else {
                args.only.clone()
            },
            in_flight: or(&args.in_flight, base.in_flight),
            in_flight_elsewhere: base.in_flight_elsewhere,
            streams: args.streams.unwrap_or(base.streams),
            seconds: args.seconds.unwrap_or(base.seconds),
            rounds: args.rounds.unwrap_or(base.rounds),
            processes: args.processes.unwrap_or(base.processes),
            events_before: base
                .events_before
                .into_iter()
                .chain(args.large.then_some(LARGE))
                .collect(),
        };
        settings.check()?;
        Ok(settings)
    }

    fn full() -> Self {
        Self {
            parts: vec![Part::Contest, Part::Processes, Part::Distance, Part::Growth],
            in_flight: vec![1, 16, 64, 256],
            in_flight_elsewhere: 64,
            streams: 2_000,
            seconds: 5.0,
            rounds: 3,
            processes: 4,
            events_before: vec![10_000, 1_000_000],
        }
    }

    fn quick() -> Self {
        Self {
            in_flight: vec![1, 16],
            in_flight_elsewhere: 16,
            streams: 100,
            seconds: 0.3,
            rounds: 1,
            processes: 2,
            events_before: vec![1_000, 20_000],
            ..Self::full()
        }
    }

    fn check(&self) -> Result<()> {
        if self.in_flight.contains(&0) || self.rounds == 0 || self.processes == 0 {
            bail!("--in-flight, --rounds and --processes begin at 1");
        }
        if !(self.seconds > 0.0 && self.seconds <= 3600.0) {
            bail!("--seconds is more than 0 and at most 3600");
        }
        if self.streams < self.most_in_flight() {
            bail!("each command in flight needs a stream of its own: raise --streams");
        }
        if self.processes > self.in_flight_elsewhere {
            bail!(
                "{} commands in flight are shared by at most as many --processes",
                self.in_flight_elsewhere
            );
        }
        Ok(())
    }

    /// How long each measurement takes.
    pub(super) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Whether `part` is measured.
    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part) && (part != Part::Processes || self.processes > 1)
    }

    /// Connections that the server must take.
    pub(super) fn connections(&self) -> u32 {
        let pools = self.processes * crate::pools::POOL as usize;
        let far = if self.has(Part::Distance) {
            distance::CONNECTIONS
        } else {
            0
        };
        let connections = self.most_in_flight().max(pools).max(far) + SPARE_CONNECTIONS;
        u32::try_from(connections).unwrap_or(u32::MAX)
    }

    fn most_in_flight(&self) -> usize {
        let levels = self.in_flight.iter().copied();
        levels
            .chain([self.in_flight_elsewhere])
            .max()
            .unwrap_or_default()
    }
}
