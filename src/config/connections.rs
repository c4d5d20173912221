//! Where the databases and the broker are: given, or found beside a running `fido dev`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use fido_nats::access::{Role, Seed};
use serde::{Deserialize, Serialize};

use super::replicas::{FIRST_REPLICA, ReplicaAddress, ReplicaArgs, ReplicaList, the_one};
use super::secrets;
use crate::seeds::{self, Seeds};

/// Where the databases and the broker are. Without these, a running `fido dev` is looked for.
#[derive(Debug, Clone, Args)]
pub struct Connections {
    /// The event store, as role fido_app.
    #[arg(long, env = "FIDO_EVENTS_URL", hide_env_values = true)]
    events_url: Option<String>,
    /// The read replicas.
    #[command(flatten)]
    replicas: ReplicaArgs,
    /// NATS; where it knows Fido's roles, without user and password.
    #[arg(long, env = "FIDO_NATS_URL", hide_env_values = true)]
    nats_url: Option<String>,
    /// The file with the seed that this role proves itself with to NATS, in place of FIDO_NATS_SEED.
    #[arg(long, env = "FIDO_NATS_SEED_FILE", value_name = "FILE")]
    nats_seed_file: Option<PathBuf>,
    /// The folder of the `fido dev` to look for.
    #[arg(long, env = "FIDO_DATA_DIR", default_value = ".fido")]
    pub(super) data_dir: PathBuf,
}

/// `fido migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// The event store, as the owner of its schema.
    #[arg(long, env = "FIDO_EVENTS_OWNER_URL", hide_env_values = true)]
    pub events_owner_url: String,
    /// The read replica, as the owner of its schema, where there is one.
    #[arg(long, env = "FIDO_REPLICA_OWNER_URL", hide_env_values = true)]
    replica_owner_url: Option<String>,
    /// All read replicas as the owners of their schemas, separated by spaces; standbys follow by
    /// themselves.
    #[arg(
        long,
        env = "FIDO_REPLICA_OWNERS",
        hide_env_values = true,
        value_name = "NAME=URL …",
        required_unless_present = "replica_owner_url"
    )]
    replica_owners: Option<ReplicaList>,
    /// The vault, as the owner of its schema; the event store's database unless told otherwise.
    #[arg(long, env = "FIDO_VAULT_OWNER_URL", hide_env_values = true)]
    pub vault_owner_url: Option<String>,
}

impl MigrateArgs {
    /// The databases, two of which may be one.
    pub fn owner_urls(&self) -> OwnerUrls {
        let listed = self
            .replica_owners
            .iter()
            .flat_map(|ReplicaList(list)| list.clone());
        let alone = self.replica_owner_url.clone().map(|url| ReplicaAddress {
            name: FIRST_REPLICA.to_owned(),
            url,
        });
        let vault = self.vault_owner_url.as_ref();
        OwnerUrls {
            events: self.events_owner_url.clone(),
            replicas: listed.chain(alone).collect(),
            vault: vault.unwrap_or(&self.events_owner_url).clone(),
        }
    }
}

/// Databases as the owners of their schemas.
#[derive(Debug, Clone)]
pub struct OwnerUrls {
    /// The event store.
    pub events: String,
    /// The read replicas.
    pub replicas: Vec<ReplicaAddress>,
    /// The vault.
    pub vault: String,
}

/// Where a running stack can be reached: what `fido dev` leaves for the other subcommands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// The event store, as fido_app.
    pub events_url: String,
    /// The replicas, as fido_app.
    pub replicas: Vec<ReplicaAddress>,
    /// The name of the one that is kept for analysts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyst_replica: Option<String>,
    /// NATS.
    pub nats_url: String,
    /// The folder with the seed of every role, where they are all at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nats_seeds: Option<PathBuf>,
    /// The seed of this process's role, where it was given.
    #[serde(skip)]
    pub nats_seed: Option<Seed>,
    /// The event store, as its owner, where that is known.
    #[serde(default)]
    pub events_owner_url: Option<String>,
    /// The vault, as fido_app, where it is not in the event store's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_url: Option<String>,
    /// The register of erasures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure_register: Option<PathBuf>,
}

/// The file in the data folder that tells where the stack is.
pub const ADDRESSES_FILE: &str = "addresses.json";

impl Connections {
    /// The addresses that were given, completed by those of a running `fido dev`.
    ///
    /// # Errors
    /// When one is missing and no `fido dev` is running in the data folder.
    pub fn resolve(&self) -> Result<Addresses> {
        let find = || Addresses::find(&self.data_dir);
        let (replicas, analyst_replica) = self.replicas.resolve(find)?;
        if let (Some(events_url), Some(nats_url)) = (&self.events_url, &self.nats_url) {
            return Ok(Addresses {
                events_url: events_url.clone(),
                replicas,
                analyst_replica,
                nats_url: nats_url.clone(),
                nats_seeds: None,
                nats_seed: self.nats_seed()?,
                events_owner_url: None,
                vault_url: None,
                erasure_register: None,
            });
        }
        let found = find()?;
        Ok(Addresses {
            events_url: self.events_url.clone().unwrap_or(found.events_url),
            replicas,
            analyst_replica,
            // Seeds belong to the broker that they were made for.
            nats_seeds: found.nats_seeds.filter(|_| self.nats_url.is_none()),
            nats_seed: self.nats_seed()?,
            nats_url: self.nats_url.clone().unwrap_or(found.nats_url),
            events_owner_url: found.events_owner_url,
            vault_url: found.vault_url,
            erasure_register: found.erasure_register,
        })
    }

    /// The one replica that a command is about: the one that was chosen, or the only one.
    ///
    /// # Errors
    /// When there are several and none was chosen, and as [`resolve`](Self::resolve).
    pub fn one_replica(&self) -> Result<ReplicaAddress> {
        let (replicas, _) = self.replicas.resolve(|| Addresses::find(&self.data_dir))?;
        Ok(the_one(&replicas)?.clone())
    }

    /// The replica `name`, whichever was chosen.
    ///
    /// # Errors
    /// When there is none of that name, and as [`resolve`](Self::resolve).
    pub fn replica_named(&self, name: &str) -> Result<ReplicaAddress> {
        let find = || Addresses::find(&self.data_dir);
        self.replicas.named(name, find)
    }

    fn nats_seed(&self) -> Result<Option<Seed>> {
        match &self.nats_seed_file {
            Some(file) => Ok(Some(seeds::read(file)?)),
            None => secrets::nats_seed(),
        }
    }

    /// The address of the event store alone.
    ///
    /// # Errors
    /// When it was not given and no `fido dev` is running in the data folder.
    pub fn events_url(&self) -> Result<String> {
        match &self.events_url {
            Some(url) => Ok(url.clone()),
            None => Ok(Addresses::find(&self.data_dir)?.events_url),
        }
    }
}

impl Addresses {
    /// What `role` proves itself with to NATS; none for a server that wants no seed.
    ///
    /// # Errors
    /// When the folder of seeds has none for it.
    pub fn seed_of(&self, role: Role) -> Result<Option<Seed>> {
        match (&self.nats_seed, &self.nats_seeds) {
            (Some(seed), _) => Ok(Some(seed.clone())),
            (None, Some(folder)) => Ok(Some(Seeds::in_folder(folder).of(role)?)),
            (None, None) => Ok(None),
        }
    }

    pub(super) fn find(data_dir: &Path) -> Result<Self> {
        let file = data_dir.join(ADDRESSES_FILE);
        let Ok(text) = std::fs::read_to_string(&file) else {
            bail!(
                "no `fido dev` is running in {}: start one, name its folder with --data-dir, \
                 or set FIDO_EVENTS_URL, FIDO_REPLICAS and FIDO_NATS_URL",
                data_dir.display()
            );
        };
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))
    }
}
