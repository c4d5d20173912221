//! What is measured, and how often.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::bench::server::ServerArgs;

/// `fido bench replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Which server is measured.
    #[command(flatten)]
    pub server: ServerArgs,
    /// How many events the logs hold; 100000 and 1000000 by default.
    #[arg(long, value_delimiter = ',', value_name = "N,…")]
    pub events: Vec<usize>,
    /// How often each is repeated, in turns with the others, for medians; 3 times by default.
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
    /// How many events the logs hold, ascending.
    pub(super) events: Vec<usize>,
    /// How often each is repeated.
    pub(super) rounds: usize,
}

impl Settings {
    /// Fills in what was not said.
    ///
    /// # Errors
    /// When what was said cannot be measured.
    pub(super) fn of(args: &ReplayArgs) -> Result<Self> {
        let (events, rounds) = if args.quick {
            (vec![1_000, 5_000], 1)
        } else {
            (vec![100_000, 1_000_000], 3)
        };
        let mut settings = Self {
            events: if args.events.is_empty() {
                events
            } else {
                args.events.clone()
            },
            rounds: args.rounds.unwrap_or(rounds),
        };
        settings.events.sort_unstable();
        settings.events.dedup();
        if settings.events.contains(&0) || settings.rounds == 0 {
            bail!("--events and --rounds begin at 1");
        }
        Ok(settings)
    }
}
