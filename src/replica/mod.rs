//! `fido replica`: looks after a read replica while Fido runs.

mod build;
mod pause;
mod progress;
mod rebuild;
mod retry;
mod verify;

use anyhow::Result;
use clap::Subcommand;

pub use pause::{PauseArgs, ResumeArgs};
pub use rebuild::RebuildArgs;
pub use retry::RetryArgs;
pub use verify::VerifyArgs;

/// What can be done to a replica.
#[derive(Debug, Subcommand)]
pub enum ReplicaCommand {
    /// Builds a replica anew beside the one that serves, and switches to it.
    #[command(long_about = rebuild::ABOUT, after_help = rebuild::EXAMPLES)]
    Rebuild(RebuildArgs),
    /// Proves that a replica holds what it should, row by row.
    #[command(long_about = verify::ABOUT, after_help = verify::EXAMPLES)]
    Verify(VerifyArgs),
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
/// When the replica cannot be reached, when the quarantine is not empty after a retry, and when a replica
/// differs from what it is compared with.
pub async fn run(command: &ReplicaCommand) -> Result<String> {
    match command {
        ReplicaCommand::Rebuild(args) => rebuild::run(args).await,
        ReplicaCommand::Verify(args) => verify::run(args).await,
        ReplicaCommand::Retry(args) => retry::run(args).await,
        ReplicaCommand::Pause(args) => pause::pause(args).await,
        ReplicaCommand::Resume(args) => pause::resume(args).await,
    }
}
