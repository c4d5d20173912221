//! What is measured, how long and how often.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

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
    /// Arrivals in a second.
    pub(super) rate: f64,
    /// How long each measurement takes.
    pub(super) seconds: f64,
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
        let settings = Self {
            events: args.events.unwrap_or(events),
            rate: args.rate.unwrap_or(rate),
            seconds: args.seconds.unwrap_or(seconds),
            rounds: args.rounds.unwrap_or(rounds),
        };
        if settings.events == 0 || settings.rounds == 0 {
            bail!("--events and --rounds begin at 1");
        }
        if !(settings.rate > 0.0 && settings.rate <= 1e6) {
            bail!("--rate is more than 0 and at most a million");
        }
        if !(settings.seconds > 0.0 && settings.seconds <= 3600.0) {
            bail!("--seconds is more than 0 and at most 3600");
        }
        Ok(settings)
    }

    /// How long each measurement takes.
    pub(super) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// How long is warmed up, so that connections and plans exist.
    pub(super) fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.min(WARM_UP))
    }
}
