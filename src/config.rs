//! The one place that reads the command line, the environment and secret files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use fido_commands::erasure::Register;
use fido_commands::secrets::{MasterKey, MasterKeys};
use serde::{Deserialize, Serialize};

use crate::bench::BenchCommand;
use crate::model;

/// Fido: the event-sourced backend of an AI co-pilot for business plans.
#[derive(Debug, Parser)]
#[command(name = "fido", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// What to log, and how much (tracing's filter syntax).
    #[arg(long, env = "FIDO_LOG", default_value = "info", global = true)]
    pub log: String,

    /// Log lines for people, or JSON for machines.
    #[arg(long, env = "FIDO_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
}

const EXAMPLES: &str = "\
Examples:
  fido dev                                    everything, with its own PostgreSQL and nats-server
  fido status                                 how far everything is
  fido audit show conversation 0199…          what happened in one conversation
  fido log fork --help                        after \"log diverged at …\"
  fido serve --listen 0.0.0.0:8080            one role; more processes of any role at will

Secrets come from the environment or from files, never from flags:
  FIDO_MASTER_KEY or FIDO_MASTER_KEY_FILE          64 hexadecimal digits (openssl rand -hex 32)
  FIDO_PREVIOUS_MASTER_KEY (or ..._FILE)           the one before, while `fido keys rotate` is under way
  FIDO_MODEL_API_KEY or FIDO_MODEL_API_KEY_FILE    the model provider's key; without it `dev` is offline";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What Fido can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything in one process, with embedded PostgreSQL and nats-server.
    Dev(DevArgs),
    /// The HTTP API.
    Serve(ServeArgs),
    /// Publishes the log to NATS.
    Relay(Connections),
    /// Keeps a read replica up to date.
    Project(Connections),
    /// Answers people through the model provider.
    Copilot(CopilotArgs),
    /// Brings the schemas of the event store and the replica up to date (as their owner).
    Migrate(MigrateArgs),
    /// How far the log, the stream and the replica are.
    Status(StatusArgs),
    /// Looks after accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Looks after the keys of personal content.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Looks into the log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Repairs the log after PostgreSQL lost the end of it.
    #[command(subcommand)]
    Log(LogCommand),
    /// The catalogue of every event that is stored, as Markdown.
    Events,
    /// The offline model server on its own (speaks the chat-completions protocol).
    Model(ModelServerArgs),
    /// Measures Fido, on a private stack of its own.
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// `fido dev`.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Where all data is kept.
    #[arg(long, env = "FIDO_DATA_DIR", default_value = ".fido")]
    pub data_dir: PathBuf,
    /// Where to listen on localhost; the next free port is taken when this one is in use.
    #[arg(long, env = "FIDO_PORT", default_value_t = 8080)]
    pub port: u16,
    /// A nats-server to use instead of the one that is found.
    #[arg(long, env = "FIDO_NATS_SERVER")]
    pub nats_server: Option<PathBuf>,
    /// Which model answers.
    #[command(flatten)]
    pub model: ModelArgs,
    /// How the offline model behaves.
    #[command(flatten)]
    pub offline: OfflineModelArgs,
}

/// Where the databases and the broker are. Without these, a running `fido dev` is looked for.
#[derive(Debug, Clone, Args)]
pub struct Connections {
    /// The event store, as role fido_app.
    #[arg(long, env = "FIDO_EVENTS_URL", hide_env_values = true)]
    events_url: Option<String>,
    /// The read replica, as role fido_app.
    #[arg(long, env = "FIDO_REPLICA_URL", hide_env_values = true)]
    replica_url: Option<String>,
    /// The name of the replica.
    #[arg(long, env = "FIDO_REPLICA_NAME", default_value = "replica1")]
    pub replica_name: String,
    /// NATS, with user and password.
    #[arg(long, env = "FIDO_NATS_URL", hide_env_values = true)]
    nats_url: Option<String>,
    /// The folder of the `fido dev` to look for.
    #[arg(long, env = "FIDO_DATA_DIR", default_value = ".fido")]
    data_dir: PathBuf,
}

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

/// `fido serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where everything is.
    #[command(flatten)]
    pub connections: Connections,
    /// Where the keys are.
    #[command(flatten)]
    pub vault: VaultArgs,
    /// Where to listen.
    #[arg(long, env = "FIDO_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Cookies without `Secure`, for http://localhost.
    #[arg(long, env = "FIDO_PLAIN_HTTP")]
    pub plain_http: bool,
}

/// `fido copilot`.
#[derive(Debug, Args)]
pub struct CopilotArgs {
    /// Where everything is.
    #[command(flatten)]
    pub connections: Connections,
    /// Where the keys are.
    #[command(flatten)]
    pub vault: VaultArgs,
    /// Which model answers.
    #[command(flatten)]
    pub model: ModelArgs,
}

/// The model provider.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// An OpenAI-compatible endpoint.
    #[arg(
        long,
        env = "FIDO_MODEL_URL",
        default_value = "https://api.openai.com/v1"
    )]
    pub model_url: String,
    /// The model to ask for.
    #[arg(long, env = "FIDO_MODEL", default_value = "gpt-6-luna")]
    pub model: String,
    /// Replies that one worker process writes at the same time.
    #[arg(long, env = "FIDO_COPILOT_CONCURRENCY", default_value_t = 64)]
    pub concurrency: usize,
}

/// How the offline model behaves.
#[derive(Debug, Clone, Args)]
pub struct OfflineModelArgs {
    /// How fast the offline model writes; 0 is as fast as it can.
    #[arg(long, env = "FIDO_OFFLINE_TOKENS_PER_SECOND", default_value_t = 60)]
    pub offline_tokens_per_second: u32,
    /// How long the offline model thinks before the first token, in milliseconds.
    #[arg(long, env = "FIDO_OFFLINE_FIRST_TOKEN_MS", default_value_t = 200)]
    pub offline_first_token_ms: u64,
}

impl OfflineModelArgs {
    /// The same, for the offline model.
    pub fn options(&self) -> model::Options {
        model::Options {
            first_token_ms: self.offline_first_token_ms,
            tokens_per_second: self.offline_tokens_per_second,
        }
    }
}

/// `fido model`.
#[derive(Debug, Args)]
pub struct ModelServerArgs {
    /// Where to listen.
    #[arg(long, env = "FIDO_MODEL_LISTEN", default_value = "127.0.0.1:8089")]
    pub listen: SocketAddr,
    /// How it behaves.
    #[command(flatten)]
    pub offline: OfflineModelArgs,
}

/// `fido migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// The event store, as the owner of its schema.
    #[arg(long, env = "FIDO_EVENTS_OWNER_URL", hide_env_values = true)]
    pub events_owner_url: String,
    /// The read replica, as the owner of its schema.
    #[arg(long, env = "FIDO_REPLICA_OWNER_URL", hide_env_values = true)]
    pub replica_owner_url: String,
    /// The vault, as the owner of its schema; the event store's database unless told otherwise.
    #[arg(long, env = "FIDO_VAULT_OWNER_URL", hide_env_values = true)]
    pub vault_owner_url: Option<String>,
}

impl MigrateArgs {
    /// The three databases, two of which may be one.
    pub fn owner_urls(&self) -> OwnerUrls<'_> {
        OwnerUrls {
            events: &self.events_owner_url,
            replica: &self.replica_owner_url,
            vault: self
                .vault_owner_url
                .as_deref()
                .unwrap_or(&self.events_owner_url),
        }
    }
}

/// Databases as the owners of their schemas.
#[derive(Debug, Clone, Copy)]
pub struct OwnerUrls<'a> {
    /// The event store.
    pub events: &'a str,
    /// The read replica.
    pub replica: &'a str,
    /// The vault.
    pub vault: &'a str,
}

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

/// `fido account`.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Makes everything about a person unreadable, for good: in the log, on replicas, in backups.
    #[command(after_help = "Example:\n  fido account erase 01996c4e-…")]
    Erase(AccountEraseArgs),
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
    /// replica, or when one of those cannot be asked.
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

/// Where a running stack can be reached: what `fido dev` leaves for the other subcommands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// The event store, as fido_app.
    pub events_url: String,
    /// The replica, as fido_app.
    pub replica_url: String,
    /// NATS.
    pub nats_url: String,
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

/// The file in the data folder with the master key that `fido dev` has made.
pub const MASTER_KEY_FILE: &str = "master.key";

/// The file in the data folder that tells where the stack is.
pub const ADDRESSES_FILE: &str = "addresses.json";

impl Connections {
    /// The addresses that were given, completed by those of a running `fido dev`.
    ///
    /// # Errors
    /// When one is missing and no `fido dev` is running in the data folder.
    pub fn resolve(&self) -> Result<Addresses> {
        if let (Some(events_url), Some(replica_url), Some(nats_url)) =
            (&self.events_url, &self.replica_url, &self.nats_url)
        {
            return Ok(Addresses {
                events_url: events_url.clone(),
                replica_url: replica_url.clone(),
                nats_url: nats_url.clone(),
                events_owner_url: None,
                vault_url: None,
                erasure_register: None,
            });
        }
        let found = Addresses::find(&self.data_dir)?;
        Ok(Addresses {
            events_url: self.events_url.clone().unwrap_or(found.events_url),
            replica_url: self.replica_url.clone().unwrap_or(found.replica_url),
            nats_url: self.nats_url.clone().unwrap_or(found.nats_url),
            events_owner_url: found.events_owner_url,
            vault_url: found.vault_url,
            erasure_register: found.erasure_register,
        })
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
    fn find(data_dir: &Path) -> Result<Self> {
        let file = data_dir.join(ADDRESSES_FILE);
        let Ok(text) = std::fs::read_to_string(&file) else {
            bail!(
                "no `fido dev` is running in {}: start one, name its folder with --data-dir, \
                 or set FIDO_EVENTS_URL, FIDO_REPLICA_URL and FIDO_NATS_URL",
                data_dir.display()
            );
        };
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))
    }
}

/// The master key from the environment or a file, and the one before while it is being rotated.
///
/// # Errors
/// When there is none, or it is not one.
pub fn master_keys() -> Result<MasterKeys> {
    let current = secret("FIDO_MASTER_KEY")?.context(
        "set FIDO_MASTER_KEY or FIDO_MASTER_KEY_FILE (make a key with: openssl rand -hex 32)",
    )?;
    let previous = secret("FIDO_PREVIOUS_MASTER_KEY")?;
    Ok(MasterKeys {
        current: MasterKey::parse(&current)?,
        previous: previous
            .map(|key| MasterKey::parse(&key))
            .transpose()
            .context("FIDO_PREVIOUS_MASTER_KEY")?,
    })
}

/// The same, or the key that `fido dev` has made in its data folder, where the register is too.
///
/// # Errors
/// When there is none, or it is not one.
pub fn master_keys_beside(place: &VaultPlace) -> Result<MasterKeys> {
    let configured = master_keys();
    let made = place
        .register
        .as_ref()
        .map(|register| register.with_file_name(MASTER_KEY_FILE))
        .filter(|file| configured.is_err() && file.exists());
    match made {
        Some(file) => Ok(MasterKey::parse(&std::fs::read_to_string(file)?)?.into()),
        None => configured,
    }
}

/// The model provider's key, if there is one.
///
/// # Errors
/// When the file that is named cannot be read.
pub fn model_api_key() -> Result<Option<String>> {
    secret("FIDO_MODEL_API_KEY")
}

/// The value of `NAME`, or the content of the file that `NAME_FILE` names.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment beside clap: secrets are no flags"
)]
fn secret(name: &str) -> Result<Option<String>> {
    if let Ok(value) = std::env::var(name) {
        return Ok(Some(value).filter(|value| !value.trim().is_empty()));
    }
    let Ok(file) = std::env::var(format!("{name}_FILE")) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{name}_FILE names {file}, which cannot be read"))?;
    Ok(Some(text.trim().to_owned()))
}
