//! Where a replica is for its owner, and which build this is.

use std::fs::File;
use std::io::Read;
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::Args;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;

use crate::config::{Addresses, ReplicaAddress};
use crate::stack::OWNER;

/// The replica, as the owner of its schema.
#[derive(Debug, Clone, Args)]
pub(super) struct OwnerArgs {
    /// The read replica, as the owner of its schema.
    #[arg(long, env = "FIDO_REPLICA_OWNER_URL", hide_env_values = true)]
    replica_owner_url: Option<String>,
}

impl OwnerArgs {
    /// The database of `replica`, for its owner. `fido dev` has one owner for all its databases.
    pub(super) fn of(
        &self,
        addresses: &Addresses,
        replica: &ReplicaAddress,
    ) -> Result<PgConnectOptions> {
        let options = match (&self.replica_owner_url, &addresses.events_owner_url) {
            (Some(url), _) => PgConnectOptions::from_str(url)?,
            (None, Some(_dev)) => PgConnectOptions::from_str(&replica.url)?.username(OWNER),
            (None, None) => anyhow::bail!(
                "set FIDO_REPLICA_OWNER_URL: only the owner of a replica's schema can make another one"
            ),
        };
        Ok(options.application_name("fido replica"))
    }
}

/// Tells this build from every other one: the digest of the program. A replica is rebuilt because the
/// projections have changed, and no version number says that as surely.
pub(super) fn build() -> Result<String> {
    let program = std::env::current_exe().context("which program this is cannot be found out")?;
    let mut file =
        File::open(&program).with_context(|| format!("{} cannot be read", program.display()))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => digest.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    let mut digest = hex::encode(digest.finalize());
    digest.truncate(16);
    Ok(digest)
}
