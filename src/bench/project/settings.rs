//! What is measured, how long and how often.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::bench::open_loop::Pace;
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
    /// How fast arrivals come, and for how long.
    #[serde(flatten)]
    pub(super) pace: Pace,
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
        let people = args.people.unwrap_or(people);
        let rounds = args.rounds.unwrap_or(rounds);
        if people == 0 || rounds == 0 {
            bail!("--people and --rounds begin at 1");
        }
        Ok(Self {
            people,
            pace: Pace::new(args.rate.unwrap_or(rate), args.seconds.unwrap_or(seconds))?,
            rounds,
        })
    }
}
