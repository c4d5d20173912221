//! The one place that reads the command line, the environment and secret files.

mod connections;
mod keys;
mod log;
mod nats;
mod oidc;
mod owners;
mod replicas;
mod roles;
mod secrets;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench::BenchCommand;
use crate::replica::ReplicaCommand;

pub use connections::{ADDRESSES_FILE, Addresses, Connections, MigrateArgs, OwnerUrls};
pub use keys::{
    AccountCommand, AccountEraseArgs, AccountRoleArgs, GrantableRole, KeysCommand, KeysRotateArgs,
    VaultArgs, VaultPlace,
};
pub use log::{AuditCommand, AuditShowArgs, ForkArgs, LogCommand, StatusArgs};
pub use nats::{NatsCommand, NatsConfigArgs};
pub use oidc::OidcArgs;
pub use owners::ReplicaOwnerArgs;
pub use replicas::{FIRST_REPLICA, ReplicaAddress, ReplicaArgs, the_one};
pub use roles::{
    CopilotArgs, DriftArgs, MailArgs, ModelArgs, ModelServerArgs, OfflineModelArgs, ProjectArgs,
    ServeArgs,
};
pub use secrets::{MASTER_KEY_FILE, master_keys, master_keys_beside, model_api_key, smtp_url};

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
  FIDO_NATS_SEED or FIDO_NATS_SEED_FILE            what the role proves itself with to NATS (fido nats config)
  FIDO_SMTP_URL or FIDO_SMTP_URL_FILE              the mail server (smtps://user:password@host); without it `dev` prints mails
  FIDO_OIDC_<NAME>_CLIENT_SECRET (or ..._FILE)     what Fido proves itself with to a sign-in provider
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
    /// Keeps one read replica up to date (--replica NAME where there are several).
    Project(ProjectArgs),
    /// Answers people through the model provider.
    Copilot(CopilotArgs),
    /// Brings the schemas of the event store and the replicas up to date (as their owner).
    Migrate(MigrateArgs),
    /// How far the log, the stream and each replica are.
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
    /// Looks after a read replica.
    #[command(subcommand)]
    Replica(ReplicaCommand),
    /// Looks after the broker's users.
    #[command(subcommand)]
    Nats(NatsCommand),
    /// The catalogue of every event that is stored, as Markdown.
    Events,
    /// What can be asked over HTTP, as OpenAPI 3.1.
    Openapi,
    /// The views for analysts.
    #[command(subcommand)]
    Analytics(AnalyticsCommand),
    /// The offline model server on its own (speaks the chat-completions protocol).
    Model(ModelServerArgs),
    /// Measures Fido, on a private stack of its own.
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// `fido analytics`.
#[derive(Debug, Subcommand)]
pub enum AnalyticsCommand {
    /// What each view says, column by column, as Markdown: from the comments in a private database.
    Docs,
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
    /// How many read replicas to keep, each with a projector of its own.
    #[arg(long, env = "FIDO_DEV_REPLICAS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=9))]
    pub replicas: u16,
    /// A nats-server to use instead of the one that is found.
    #[arg(long, env = "FIDO_NATS_SERVER")]
    pub nats_server: Option<PathBuf>,
    /// Which model answers.
    #[command(flatten)]
    pub model: ModelArgs,
    /// How the offline model behaves.
    #[command(flatten)]
    pub offline: OfflineModelArgs,
    /// How often to look whether the replica still holds what the log says.
    #[command(flatten)]
    pub drift: DriftArgs,
    /// Who else can say who somebody is.
    #[command(flatten)]
    pub oidc: OidcArgs,
    /// How people are written to.
    #[command(flatten)]
    pub mail: MailArgs,
}
