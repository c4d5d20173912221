//! What is measured, how long and how often.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::bench::open_loop::Pace;
use crate::bench::server::ServerArgs;

/// The longest that is warmed up.
const WARM_UP: f64 = 2.0;

/// `fido bench query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Which server is measured.
    #[command(flatten)]
    pub server: ServerArgs,
    /// How many events the replica shows; 100000 by default.
    #[arg(long)]
    pub events: Option<usize>,
    /// Queries a second; 1000 by default.
    #[arg(long)]
    pub rate: Option<f64>,
    /// How long each measurement takes; 10 by default.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// How often each is repeated, in turns, for medians; 3 times by default.
    #[arg(long)]
    pub rounds: Option<usize>,
    /// A short run that shows that everything works; its figures say little.
    #[arg(long)]
    pub quick: bool,
    /// One JSON document, for scripts.
    #[arg(long)]
    pub json: bool,
}

/// What was chosen.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Settings {
    /// How many events the replica shows.
    pub(super) events: usize,
    /// How fast arrivals come, and for how long.
    #[serde(flatten)]
    pub(super) pace: Pace,
    /// How often each is repeated.
    pub(super) rounds: usize,
}

impl Settings {
    /// Fills in what was not said.
    ///
    /// # Errors
    /// When what was said cannot be measured.
    pub(super) fn of(args: &QueryArgs) -> Result<Self> {
        let (events, rate, seconds, rounds) = if args.quick {
            (5_000, 100.0, 0.5, 1)
        } else {
            (100_000, 1_000.0, 10.0, 3)
        };
        let events = args.events.unwrap_or(events);
        let rounds = args.rounds.unwrap_or(rounds);
        if events == 0 || rounds == 0 {
            bail!("--events and --rounds begin at 1");
        }
        Ok(Self {
            events,
            pace: Pace::new(args.rate.unwrap_or(rate), args.seconds.unwrap_or(seconds))?,
            rounds,
        })
    }

    /// How long is warmed up, so that connections and plans exist.
    pub(super) fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.pace.seconds.min(WARM_UP))
    }
}
