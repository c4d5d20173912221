//! `fido replica pause` and `resume`: a replica stays at a position, for a look at it or for work on
//! its server.

use anyhow::Result;
use clap::Args;
use fido_projections::operation;

use crate::config::{Connections, ReplicaAddress};
use crate::pools;

pub(super) const EXAMPLES: &str = "\
Examples:
  fido replica pause --reason \"the disk is being moved\"    stays at its position, and says which
  fido replica resume                                      catches up";

/// `fido replica pause`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// What for; `fido status` shows it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Where everything is.
    #[command(flatten)]
    connections: Connections,
}

/// `fido replica resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Where everything is.
    #[command(flatten)]
    connections: Connections,
}

pub(super) async fn pause(args: &PauseArgs) -> Result<String> {
    let ReplicaAddress { name, url } = args.connections.one_replica()?;
    let position = operation::pause(&pools::replica(&url)?, args.reason.as_deref()).await?;
    Ok(format!(
        "{name} stays at position {position} and serves on; `fido replica resume` lets it go on."
    ))
}

pub(super) async fn resume(args: &ResumeArgs) -> Result<String> {
    let ReplicaAddress { name, url } = args.connections.one_replica()?;
    Ok(if operation::resume(&pools::replica(&url)?).await? {
        format!("{name} goes on.")
    } else {
        format!("{name} was not paused.")
    })
}
