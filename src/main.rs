//! The binary `fido`: one subcommand, one role.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use fido::config::{
    self, AccountCommand, AnalyticsCommand, AuditCommand, Cli, Command, KeysCommand, LogCommand,
    LogFormat, NatsCommand,
};
use fido::roles::{self, System};
use fido::{
    account, analytics, audit, bench, dev, keys, log, mail, migrate, model, nats, replica, status,
};
use fido_api::{ApiConfig, SessionCookie};
use fido_nats::access::Role;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Commands are made on one thread and freed on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("fido: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn start(cli: Cli) -> Result<()> {
    log_to_stderr(&cli.log, cli.log_format)?;
    // Only an error when one was chosen before, and then that one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shutdown = on_signal()?;
    match cli.command {
        Command::Dev(args) => {
            dev::run(&args, shutdown, |address| {
                print(&format!(
                    "Fido is ready at http://localhost:{}",
                    address.port()
                ));
            })
            .await
        }
        Command::Serve(args) => {
            let connections = &args.connections;
            let addresses = connections.resolve()?;
            let keys = config::master_keys()?;
            let oidc = args.oidc.resolve(None)?;
            let system = System::connect(&addresses, Role::Api).await?;
            let place = args.vault.resolve(&addresses);
            let vault = system.vault(&place, keys).await?;
            let listener = TcpListener::bind(args.listen)
                .await
                .with_context(|| format!("cannot listen on {}", args.listen))?;
            print(&format!("Fido serves at http://{}", listener.local_addr()?));
            let cookie = if args.plain_http {
                SessionCookie::PlainLocalhost
            } else {
                SessionCookie::Secure
            };
            let config = ApiConfig {
                cookie,
                mail: mail::config(&args.mail)?,
                oidc,
            };
            system
                .serve(listener, vault, place.register(), config, shutdown)
                .await
        }
        Command::Relay(connections) => {
            let system = System::connect(&connections.resolve()?, Role::Relay).await?;
            system.relay(shutdown).await;
            Ok(())
        }
        Command::Project(args) => {
            let addresses = args.connections.resolve()?;
            let name = &config::the_one(&addresses.replicas)?.name;
            let system = System::connect(&addresses, Role::Projector).await?;
            let watch = system.drift_watch(name, args.drift)?;
            let watch = watch.map(|watch| tokio::spawn(watch.run(shutdown.clone())));
            system.projector(name)?.run(shutdown).await;
            if let Some(watch) = watch {
                watch.await?;
            }
            Ok(())
        }
        Command::Copilot(args) => {
            let connections = &args.connections;
            let key = config::model_api_key()?
                .context("set FIDO_MODEL_API_KEY or FIDO_MODEL_API_KEY_FILE (any text for an endpoint without keys)")?;
            let gateway = roles::gateway(&args.model, &key)?;
            let addresses = connections.resolve()?;
            let keys = config::master_keys()?;
            let system = System::connect(&addresses, Role::Copilot).await?;
            let vault = system.vault(&args.vault.resolve(&addresses), keys).await?;
            system
                .copilot(gateway, vault, args.model.concurrency, shutdown)
                .await;
            Ok(())
        }
        Command::Migrate(args) => {
            migrate::all(&args.owner_urls()).await?;
            print("The schemas of the event store, the vault and the replicas are up to date.");
            Ok(())
        }
        Command::Status(args) => status::run(&args).await.map(|text| print(&text)),
        Command::Account(AccountCommand::Erase(args)) => {
            account::erase(&args).await.map(|text| print(&text))
        }
        Command::Keys(KeysCommand::Rotate(args)) => {
            keys::rotate(&args).await.map(|text| print(&text))
        }
        Command::Audit(AuditCommand::Show(args)) => {
            audit::show(&args).await.map(|text| print(&text))
        }
        Command::Log(LogCommand::Fork(args)) => log::fork(&args).await.map(|text| print(&text)),
        Command::Replica(command) => replica::run(&command).await.map(|text| print(&text)),
        Command::Nats(NatsCommand::Config(args)) => nats::config(&args).map(|text| print(&text)),
        Command::Account(AccountCommand::Grant(args)) => {
            account::grant(&args).await.map(|text| print(&text))
        }
        Command::Account(AccountCommand::Revoke(args)) => {
            account::revoke(&args).await.map(|text| print(&text))
        }
        Command::Analytics(AnalyticsCommand::Docs) => {
            analytics::docs().await.map(|text| print(&text))
        }
        Command::Events => {
            print(&fido_domain::catalogue::markdown()?);
            Ok(())
        }
        Command::Openapi => {
            print(&serde_json::to_string_pretty(&fido_api::openapi())?);
            Ok(())
        }
        Command::Model(args) => {
            let (address, serve) =
                model::OfflineModel::bind(args.listen, args.offline.options(), shutdown).await?;
            print(&format!("The offline model listens at http://{address}/v1"));
            serve.await;
            Ok(())
        }
        Command::Bench(command) => bench::run(&command, shutdown)
            .await
            .map(|text| print(&text)),
    }
}

/// Cancelled by the first SIGINT or SIGTERM.
fn on_signal() -> Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("shutting down; what is under way may end");
        token.cancel();
    });
    Ok(shutdown)
}

/// Log lines go to stderr, results to stdout. Crates that would log content are silenced.
fn log_to_stderr(filter: &str, format: LogFormat) -> Result<()> {
    let filter = EnvFilter::builder()
        .parse(format!(
            "{filter},async_openai=off,async_nats=warn,sqlx=warn"
        ))
        .with_context(|| format!("--log {filter} is not a filter such as info,fido_nats=debug"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

fn print(text: &str) {
    say(&mut std::io::stdout(), text);
}

/// Whoever reads may have gone, as `fido status | head -1` does; that is no failure.
fn say(to: &mut impl Write, text: &str) {
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
}
