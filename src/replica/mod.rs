//! `fido replica`: looks after a read replica while Fido runs.

mod pause;
mod retry;

use anyhow::Result;
use clap::Subcommand;

pub use pause::{PauseArgs, ResumeArgs};
pub use retry::RetryArgs;

/// What can be done to a replica.
#[derive(Debug, Subcommand)]
pub enum ReplicaCommand {
    /// Applies what is in quarantine, after a fix.
    #[command(long_about = retry::ABOUT, after_help = retry::EXAMPLES)]
    Retry(RetryArgs),
    /// Lets a replica stay as it is; it serves on.
    #[command(after_help = pause::EXAMPLES)]
    Pause(PauseArgs),
    /// Lets a paused replica go on.
    Resume(ResumeArgs),
}

/// Does it, and says what came of it.
///
/// # Errors
/// When the replica cannot be reached, or the quarantine is not empty after a retry.
pub async fn run(command: &ReplicaCommand) -> Result<String> {
    match command {
        ReplicaCommand::Retry(args) => retry::run(args).await,
        ReplicaCommand::Pause(args) => pause::pause(args).await,
        ReplicaCommand::Resume(args) => pause::resume(args).await,
    }
}
