//! The roles that are processes of their own, and the models that they ask.

use std::net::SocketAddr;

use clap::Args;

use super::{Connections, OidcArgs, VaultArgs};
use crate::model;

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
    /// How people are written to.
    #[command(flatten)]
    pub mail: MailArgs,
    /// Cookies without `Secure`, for http://localhost.
    #[arg(long, env = "FIDO_PLAIN_HTTP")]
    pub plain_http: bool,
    /// Who else can say who somebody is.
    #[command(flatten)]
    pub oidc: OidcArgs,
}

/// How people are written to; the server is in the environment (FIDO_SMTP_URL), as it has a password.
#[derive(Debug, Clone, Args)]
pub struct MailArgs {
    /// Who mails come from.
    #[arg(long, env = "FIDO_MAIL_FROM", default_value = "Fido <fido@localhost>")]
    pub mail_from: String,
    /// The page on which a new password is set; the token from the mail is put behind a `#`.
    #[arg(long, env = "FIDO_PASSWORD_RESET_PAGE")]
    pub password_reset_page: Option<String>,
}

/// `fido project`.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// Where everything is.
    #[command(flatten)]
    pub connections: Connections,
    /// How often to look whether the replica still holds what the log says.
    #[command(flatten)]
    pub drift: DriftArgs,
}

/// How a replica is watched.
#[derive(Debug, Clone, Copy, Args)]
pub struct DriftArgs {
    /// How often some random streams are projected again and compared with the live rows, in seconds.
    #[arg(long, env = "FIDO_DRIFT_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub drift_seconds: u64,
    /// How many streams; 0 never looks.
    #[arg(long, env = "FIDO_DRIFT_STREAMS", default_value_t = 20)]
    pub drift_streams: usize,
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
