//! The subcommands that look into the log or say how it goes on.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::{Addresses, Connections};

/// `fido status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Where everything is.
    #[command(flatten)]
    pub connections: Connections,
    /// JSON, for scripts.
    #[arg(long)]
    pub json: bool,
}

/// `fido audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// The events of one stream, as a timeline.
    #[command(after_help = "Example:\n  fido audit show conversation 01996c4e-…")]
    Show(AuditShowArgs),
}

/// `fido audit show`.
#[derive(Debug, Args)]
pub struct AuditShowArgs {
    /// The kind of stream: account, conversation, plan.
    pub aggregate: String,
    /// Which one.
    pub id: uuid::Uuid,
    /// One JSON object a line, whole, as stored.
    #[arg(long)]
    pub json: bool,
    /// Where the log is.
    #[command(flatten)]
    pub connections: Connections,
}

/// `fido log`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Says how the log goes on after PostgreSQL lost the end of it ("log diverged at …").
    #[command(long_about = FORK, after_help = FORK_EXAMPLES)]
    Fork(ForkArgs),
}

const FORK: &str = "\
Says how the log goes on after PostgreSQL lost the end of it.

Fido answers \"log diverged at N+1\" when the event store ends at position N, but the event stream, a \
replica or a client has seen more: a backup was restored, or a standby took over that had not received \
everything. Reads go on; writes answer 503, and the relay and the projectors stand still.

FIRST see whether the lost events can be had back: a later backup, the archived WAL, the old primary. \
With them nothing is lost, and Fido goes on by itself as soon as the event store holds them again. \
After a fork they are lost for good.

The fork declares a new epoch. Positions go on beyond every position that was ever seen, so that none \
is used twice; nothing that is in the event store changes. The relay makes the event stream anew from \
there, replicas that show lost events are emptied and built again from position 1 (they show an \
earlier state until they have caught up), and clients that have seen lost events are told to read \
afresh. Nothing needs to be restarted.";

const FORK_EXAMPLES: &str = "\
Examples:
  fido status                                                     how far everything is, and whether the log diverged
  fido log fork --reason \"restored the backup of 02:00\"          declare it
  fido log fork --reason \"no broker left\" --beyond 4200000      when something cannot be asked any more";

/// `fido log fork`.
#[derive(Debug, Args)]
pub struct ForkArgs {
    /// What happened; kept with the log for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Go on beyond this position as well: when clients may have seen more than the stream and the
    /// replicas, or when one of those cannot be asked.
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(i64).range(0..))]
    pub beyond: Option<fido_domain::Position>,
    /// Fork although nothing has seen more than the log holds.
    #[arg(long)]
    pub force: bool,
    /// JSON, for scripts.
    #[arg(long)]
    pub json: bool,
    /// The event store, as the owner of its schema.
    #[arg(long, env = "FIDO_EVENTS_OWNER_URL", hide_env_values = true)]
    events_owner_url: Option<String>,
    /// Where everything is.
    #[command(flatten)]
    pub connections: Connections,
}

impl ForkArgs {
    /// The event store, as its owner.
    ///
    /// # Errors
    /// When it was not given and no `fido dev` is running in the data folder.
    pub fn events_owner_url(&self) -> Result<String> {
        if let Some(url) = &self.events_owner_url {
            return Ok(url.clone());
        }
        let found = Addresses::find(&self.connections.data_dir).ok();
        found
            .and_then(|addresses| addresses.events_owner_url)
            .context(
                "set FIDO_EVENTS_OWNER_URL: only the owner of the event store may fork the log",
            )
    }
}
