//! Where read replicas are for the owners of their schemas.

use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Args;
use sqlx::postgres::PgConnectOptions;

use super::replicas::ReplicaList;
use super::{Addresses, ReplicaAddress};
use crate::stack::OWNER;

/// A replica, as the owner of its schema.
#[derive(Debug, Clone, Args)]
pub struct ReplicaOwnerArgs {
    /// The read replica, as the owner of its schema.
    #[arg(long, env = "FIDO_REPLICA_OWNER_URL", hide_env_values = true)]
    replica_owner_url: Option<String>,
    /// All read replicas as the owners of their schemas, separated by spaces.
    #[arg(
        long,
        env = "FIDO_REPLICA_OWNERS",
        hide_env_values = true,
        value_name = "NAME=URL …"
    )]
    replica_owners: Option<ReplicaList>,
}

impl ReplicaOwnerArgs {
    /// The database of `replica`, for its owner. `fido dev`, where `addresses` may come from, has one
    /// owner for all its databases.
    ///
    /// # Errors
    /// When the owner is not known, or the address is none.
    pub fn of(&self, addresses: &Addresses, replica: &ReplicaAddress) -> Result<PgConnectOptions> {
        let listed = self
            .replica_owners
            .iter()
            .flat_map(|ReplicaList(list)| list)
            .find(|owner| owner.name == replica.name)
            .map(|owner| &owner.url);
        let options = match (
            listed.or(self.replica_owner_url.as_ref()),
            &addresses.events_owner_url,
        ) {
            (Some(url), _) => PgConnectOptions::from_str(url)?,
            (None, Some(_dev)) => PgConnectOptions::from_str(&replica.url)?.username(OWNER),
            (None, None) => bail!(
                "set FIDO_REPLICA_OWNER_URL or FIDO_REPLICA_OWNERS: only the owner of the schema of {} can \
                 make another one beside it",
                replica.name
            ),
        };
        Ok(options.application_name("fido replica"))
    }
}
