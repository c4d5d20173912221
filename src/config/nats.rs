//! What operators of a broker of their own ask for.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `fido nats`.
#[derive(Debug, Subcommand)]
pub enum NatsCommand {
    /// Prints who may do what, as nats-server's configuration.
    #[command(long_about = CONFIG, after_help = EXAMPLES)]
    Config(NatsConfigArgs),
}

const CONFIG: &str = "\
Prints who may do what, as nats-server's configuration: a user for each role, with its public key and \
exactly the subjects that it needs. Only the relay may publish events or make and delete their stream.

A role without a seed gets a new one in the folder of seeds, in a file that only its user can read. \
Seeds are secrets and are not printed. Hand each process the one of its role (FIDO_NATS_SEED or \
FIDO_NATS_SEED_FILE), and nats-server what is printed.";

const EXAMPLES: &str = "\
Examples:
  fido nats config --seeds seeds > fido.conf
  fido nats config --seeds seeds --replica north --replica south    projectors of these replicas alone
  FIDO_NATS_SEED_FILE=seeds/relay.seed fido relay";

/// `fido nats config`.
#[derive(Debug, Args)]
pub struct NatsConfigArgs {
    /// The folder of seeds.
    #[arg(long, value_name = "DIR")]
    pub seeds: PathBuf,
    /// The name of a replica; without any, a projector may serve whichever it likes.
    #[arg(long = "replica", value_name = "NAME")]
    pub replicas: Vec<String>,
}
