//! Where the keys of personal content are, and the subcommands that look after them.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use fido_commands::erasure::Register;
use fido_domain::account::Role;

use super::{Addresses, Connections};

/// The keys of personal content, for roles that read or write it.
#[derive(Debug, Clone, Args)]
pub struct VaultArgs {
    /// The vault's database, as role fido_app; the event store's unless told otherwise.
    #[arg(long, env = "FIDO_VAULT_URL", hide_env_values = true)]
    vault_url: Option<String>,
    /// The file of erasures, kept outside the databases: keys that come back with an old backup are
    /// destroyed again because of it.
    #[arg(long, env = "FIDO_ERASURE_REGISTER")]
    erasure_register: Option<PathBuf>,
}

/// Where the vault and the register of erasures are.
#[derive(Debug, Clone)]
pub struct VaultPlace {
    /// The vault's database, as fido_app.
    pub url: String,
    /// The register; without one nothing can be erased.
    pub register: Option<PathBuf>,
}

impl VaultPlace {
    /// The register, if there is one.
    pub fn register(&self) -> Option<Register> {
        self.register.as_ref().map(Register::new)
    }
}

impl VaultArgs {
    /// What was given, completed by what a running `fido dev` has told.
    pub fn resolve(&self, addresses: &Addresses) -> VaultPlace {
        let vault_url = self.vault_url.as_ref().or(addresses.vault_url.as_ref());
        let register = self.erasure_register.as_ref();
        VaultPlace {
            url: vault_url.unwrap_or(&addresses.events_url).clone(),
            register: register.or(addresses.erasure_register.as_ref()).cloned(),
        }
    }
}

/// `fido account`.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Makes everything about a person unreadable, for good: in the log, on replicas, in backups.
    #[command(after_help = "Example:\n  fido account erase 01996c4e-…")]
    Erase(AccountEraseArgs),
    /// Lets an account do more.
    #[command(after_help = "Example:\n  fido account grant 01996c4e-… analyst")]
    Grant(AccountRoleArgs),
    /// Takes that back; it holds from the next request on.
    #[command(after_help = "Example:\n  fido account revoke 01996c4e-… analyst")]
    Revoke(AccountRoleArgs),
}

/// `fido account grant` and `fido account revoke`.
#[derive(Debug, Args)]
pub struct AccountRoleArgs {
    /// Whose.
    pub id: uuid::Uuid,
    /// What it may do.
    pub role: GrantableRole,
    /// JSON, for scripts.
    #[arg(long)]
    pub json: bool,
    /// Where everything is.
    #[command(flatten)]
    pub connections: Connections,
    /// Where the keys are.
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// What an account may do beyond its own data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GrantableRole {
    /// Reads the analysts' views.
    Analyst,
    /// Reads the log.
    Auditor,
    /// Grants roles and sees costs.
    Admin,
}

impl From<GrantableRole> for Role {
    fn from(role: GrantableRole) -> Self {
        match role {
            GrantableRole::Analyst => Self::Analyst,
            GrantableRole::Auditor => Self::Auditor,
            GrantableRole::Admin => Self::Admin,
        }
    }
}

/// `fido account erase`.
#[derive(Debug, Args)]
pub struct AccountEraseArgs {
    /// Whose.
    pub id: uuid::Uuid,
    /// JSON, for scripts.
    #[arg(long)]
    pub json: bool,
    /// Where everything is.
    #[command(flatten)]
    pub connections: Connections,
    /// Where the keys are.
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// `fido keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Wraps every key with a new master key, while everything runs; no event is touched.
    #[command(after_help = ROTATION)]
    Rotate(KeysRotateArgs),
}

const ROTATION: &str = "\
Three steps, none of which interrupts anybody:
  1. Restart the processes with FIDO_MASTER_KEY=<new> and FIDO_PREVIOUS_MASTER_KEY=<old>.
  2. fido keys rotate, with both in its environment too.
  3. Restart the processes with FIDO_MASTER_KEY=<new> alone.";

/// `fido keys rotate`.
#[derive(Debug, Args)]
pub struct KeysRotateArgs {
    /// Where everything is.
    #[command(flatten)]
    connections: Connections,
    /// Where the keys are.
    #[command(flatten)]
    vault: VaultArgs,
}

impl KeysRotateArgs {
    /// The vault's database.
    ///
    /// # Errors
    /// When it was not given and no `fido dev` is running in the data folder.
    pub fn vault_url(&self) -> Result<String> {
        match &self.vault.vault_url {
            Some(url) => Ok(url.clone()),
            None => self.connections.events_url(),
        }
    }
}
