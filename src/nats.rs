//! `fido nats config`: the part of nats-server's configuration that gives each role its rights.

use anyhow::{Result, bail};
use fido_nats::access;

use crate::config::NatsConfigArgs;
use crate::seeds::Seeds;

const HEADING: &str = "\
# Who may do what at the broker, for nats-server (2.14 or later) to include:
#   include \"./fido.conf\"
# Printed by `fido nats config`, from the same source as the embedded server's. It holds public keys
# alone. Each process gets the seed of its role by FIDO_NATS_SEED or FIDO_NATS_SEED_FILE.
";

/// Prints the configuration; a role that has no seed yet gets one.
///
/// # Errors
/// When the folder of seeds cannot be used, or a replica's name cannot be part of a subject.
pub fn config(args: &NatsConfigArgs) -> Result<String> {
    for name in &args.replicas {
        let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_token) {
            bail!("{name:?} is no name of a replica: letters, digits, - and _ are");
        }
    }
    let users = Seeds::in_folder(&args.seeds).complete()?;
    let authorization = access::authorization(&users, &args.replicas);
    Ok(format!("{HEADING}{}", authorization.trim_end()))
}
