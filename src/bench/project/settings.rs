//! What is measured, how long and how often.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::bench::server::ServerArgs;

/// `fido bench project`.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// Which server is measured.
    #[command(flatten)]
    pub server: ServerArgs,
    /// How many people issue commands, one after the other each; 500 by default.
    #[arg(long)]
    pub people: Option<usize>,
    /// Commands a second; 500 by default.
    #[arg(long)]
    pub rate: Option<f64>,
    /// How long each measurement takes; 20 by default.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// How often it is repeated, for medians; 3 times by default.
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
    /// How many people issue commands.
    pub(super) people: usize,
    /// Arrivals in a second.
    pub(super) rate: f64,
    /// How long each measurement takes.
    pub(super) seconds: f64,
    /// How often it is repeated.
    pub(super) rounds: usize,
}

impl Settings {
    /// Fills in what was not said.
    ///
    /// # Errors
    /// When what was said cannot be measured.
    pub(super) fn of(args: &ProjectArgs) -> Result<Self> {
        let (people, rate, seconds, rounds) = if args.quick {
            (20, 50.0, 1.0, 1)
        } else {
            (500, 500.0, 20.0, 3)
        };
        let settings = Self {
            people: args.people.unwrap_or(people),
            rate: args.rate.unwrap_or(rate),
            seconds: args.seconds.unwrap_or(seconds),
            rounds: args.rounds.unwrap_or(rounds),
        };
        if settings.people == 0 || settings.rounds == 0 {
            bail!("--people and --rounds begin at 1");
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
}
