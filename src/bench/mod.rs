//! `fido bench`: what Fido yields, as ratios to something known that is measured in the same run.
//!
//! A number of commands per second says as much about the machine as about Fido, so each figure
//! stands beside that of a peer or of the bare database on the same server at the same time.

pub mod append;
mod facts;
mod figures;
mod load;
mod mix;
mod open_loop;
mod outcome;
mod progress;
pub mod project;
pub mod query;
mod ratio;
pub mod replay;
mod server;
mod store;
mod table;

use anyhow::Result;
use clap::Subcommand;
use tokio_util::sync::CancellationToken;

use append::{AppendArgs, WorkerArgs};
use project::ProjectArgs;
use query::QueryArgs;
use replay::ReplayArgs;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Appending: the event store against postgres-es and a loop of single-row inserts.
    #[command(after_help = append::EXAMPLES)]
    Append(AppendArgs),
    /// Replaying a log into a fresh replica, against a plain copy of its rows.
    #[command(after_help = replay::EXAMPLES)]
    Replay(ReplayArgs),
    /// From a command's commit until it is visible on a replica, under a steady load.
    #[command(after_help = project::EXAMPLES)]
    Project(ProjectArgs),
    /// The API's reading queries on a filled replica, under a steady load, against `select 1`.
    #[command(after_help = query::EXAMPLES)]
    Query(QueryArgs),
    /// One of several processes that append at once; started by `append`.
    #[command(hide = true)]
    AppendWorker(WorkerArgs),
}

/// Measures, and answers with what was found, for people or as JSON.
///
/// # Errors
/// When something does not start, a command fails, a log does not hold exactly what was
/// acknowledged, or `shutdown` comes first. What was made for the measurement is removed again.
pub async fn run(command: &BenchCommand, shutdown: CancellationToken) -> Result<String> {
    match command {
        BenchCommand::Append(args) => append::run(args, shutdown).await,
        BenchCommand::Replay(args) => replay::run(args, shutdown).await,
        BenchCommand::Project(args) => project::run(args, shutdown).await,
        BenchCommand::Query(args) => query::run(args, shutdown).await,
        BenchCommand::AppendWorker(args) => append::work(args).await,
    }
}
