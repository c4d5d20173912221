//! `fido dev`: every role in one process, on an embedded PostgreSQL and nats-server.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use fido_api::{ApiConfig, SessionCookie};
use fido_commands::secrets::{MasterKey, MasterKeys};
use fido_copilot::gateway::Gateway;
use fido_nats::access::Role;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{
    self, ADDRESSES_FILE, Addresses, DevArgs, ModelArgs, OwnerUrls, ReplicaAddress, VaultPlace,
};
use crate::mail;
use crate::migrate;
use crate::model::{self, OfflineModel};
use crate::roles::{self, System};
use crate::stack::{OWNER, Programs, Stack, StackOptions};

/// The role that Fido runs as.
const APP: &str = "fido_app";
/// Ports that are tried one after the other.
const PORTS: u16 = 100;
/// How long starting may take.
const START: Duration = Duration::from_secs(30);

/// Runs everything until `shutdown`; calls `ready` with the address once a chat would be answered.
///
/// # Errors
/// When something does not start; what has started is stopped again.
pub async fn run(
    args: &DevArgs,
    shutdown: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    let options = StackOptions {
        programs: Programs::of_this_machine().with_nats_server(args.nats_server.clone()),
        ..StackOptions::new(&args.data_dir)
    };
    let stack = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        stack = Stack::start(&options) => stack?,
    };
    let ran = run_on(&stack, args, shutdown, ready).await;
    let _ = std::fs::remove_file(args.data_dir.join(ADDRESSES_FILE));
    stack.stop().await?;
    ran
}

async fn run_on(
    stack: &Stack,
    args: &DevArgs,
    shutdown: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    let addresses = prepare(stack, &args.data_dir, args.replicas).await?;
    let keys = master_keys(&args.data_dir)?;
    let listener = listen(args.port).await?;
    let address = listener.local_addr()?;
    let reached_at = format!("http://localhost:{}", address.port()).parse()?;
    let oidc = args.oidc.resolve(Some(reached_at))?;

    let tasks = TaskTracker::new();
    // Each role with rights of its own, as if it were a process of its own.
    let connect = |role| System::connect(&addresses, role);
    let system = connect(Role::Api).await?;
    let place = VaultPlace {
        url: addresses.events_url.clone(),
        register: addresses.erasure_register.clone(),
    };
    let vault = system.vault(&place, keys).await?;
    tasks.spawn(connect(Role::Relay).await?.relay(shutdown.clone()));
    let projecting = connect(Role::Projector).await?;
    for ReplicaAddress { name, .. } in &addresses.replicas {
        tasks.spawn(projecting.projector(name)?.run(shutdown.clone()));
        if let Some(watch) = projecting.drift_watch(name, args.drift)? {
            tasks.spawn(watch.run(shutdown.clone()));
        }
    }
    let gateway = gateway(args, &tasks, &shutdown).await?;
    let concurrency = args.model.concurrency;
    tasks.spawn(connect(Role::Copilot).await?.copilot(
        gateway,
        vault.clone(),
        concurrency,
        shutdown.clone(),
    ));
    let config = ApiConfig {
        cookie: SessionCookie::PlainLocalhost,
        oidc,
        mail: mail::config_or_print(&args.mail, print_mail)?,
    };
    let serving = tasks.spawn(system.clone().serve(
        listener,
        vault,
        place.register(),
        config,
        shutdown.clone(),
    ));
    tasks.close();

    tokio::select! {
        () = shutdown.cancelled() => {}
        started = tokio::time::timeout(START, started(&system)) => {
            match started {
                Ok(()) => ready(address),
                Err(_elapsed) => tracing::error!("still not ready after {} s; see the lines above", START.as_secs()),
            }
        }
    }
    let served = serving.await.context("the API broke off")?;
    shutdown.cancel();
    tasks.wait().await;
    served
}

/// Ready is when an event would reach the replica: the relay has made the stream, and everything
/// that the log held before is visible.
async fn started(system: &System) {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        let Ok(head) = system.log().head().await else {
            continue;
        };
        let published = system
            .nats()
            .status()
            .await
            .is_ok_and(|stream| stream.last >= head);
        let surveyed = system.replicas().survey().await;
        let are_there = surveyed.iter().all(|replica| {
            replica
                .found
                .as_ref()
                .is_ok_and(|shown| shown.position >= head)
        });
        if published && are_there {
            return;
        }
    }
}

/// Databases and schemas, and a note for `fido status` and `fido audit` where they are.
async fn prepare(stack: &Stack, data_dir: &Path, replicas: u16) -> Result<Addresses> {
    let events = "fido_events";
    stack.postgres.ensure_database(events).await?;
    let replica = |database: &str, role, n: u16| ReplicaAddress {
        name: format!("replica{n}"),
        url: stack.postgres_url(database, role),
    };
    let (mut as_owner, mut as_app) = (Vec::new(), Vec::new());
    for n in 1..=replicas {
        let database = match n {
            1 => "fido_replica".to_owned(),
            n => format!("fido_replica_{n}"),
        };
        stack.postgres.ensure_database(&database).await?;
        as_owner.push(replica(&database, OWNER, n));
        as_app.push(replica(&database, APP, n));
    }
    let events_owner = stack.postgres_url(events, OWNER);
    migrate::all(&OwnerUrls {
        events: events_owner.clone(),
        replicas: as_owner,
        vault: events_owner.clone(),
    })
    .await
    .with_context(|| {
        format!(
            "if an earlier build that was never released has made {}, move it away and start anew",
            data_dir.display()
        )
    })?;
    let addresses = Addresses {
        events_url: stack.postgres_url(events, APP),
        replicas: as_app,
        analyst_replica: None,
        nats_url: stack.nats_url(),
        nats_seeds: Some(stack.nats.seeds_dir()),
        nats_seed: None,
        events_owner_url: Some(events_owner),
        vault_url: None,
        erasure_register: Some(std::path::absolute(data_dir.join("erasures.jsonl"))?),
    };
    write_private(
        &data_dir.join(ADDRESSES_FILE),
        &serde_json::to_string_pretty(&addresses)?,
    )?;
    Ok(addresses)
}

/// The configured key, or one that belongs to this data folder and is made with it.
fn master_keys(data_dir: &Path) -> Result<MasterKeys> {
    if let Ok(keys) = config::master_keys() {
        return Ok(keys);
    }
    let file = data_dir.join(config::MASTER_KEY_FILE);
    if !file.exists() {
        write_private(&file, &MasterKey::generate())?;
        tracing::info!(file = %file.display(), "made a master key for this data folder; keep it with the data");
    }
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let key = MasterKey::parse(&text).with_context(|| format!("{} is damaged", file.display()))?;
    Ok(key.into())
}

/// The configured provider, or the offline model when there is no key for one.
async fn gateway(
    args: &DevArgs,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> Result<Gateway> {
    if let Some(key) = config::model_api_key()? {
        return roles::gateway(&args.model, &key);
    }
    let (address, serve) = OfflineModel::bind(
        (Ipv4Addr::LOCALHOST, 0).into(),
        args.offline.options(),
        shutdown.clone(),
    )
    .await
    .context("the offline model cannot listen")?;
    tasks.spawn(serve);
    tracing::info!(address = %address, "no FIDO_MODEL_API_KEY: the offline model answers");
    let model = ModelArgs {
        model_url: format!("http://{address}/v1"),
        model: model::NAME.to_owned(),
        ..args.model.clone()
    };
    roles::gateway(&model, "offline")
}

/// Listens on localhost at `port`, or at the next one that is free.
async fn listen(port: u16) -> Result<TcpListener> {
    for candidate in port..=port.saturating_add(PORTS) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)).await {
            Ok(listener) => {
                if candidate != port {
                    tracing::warn!("port {port} is in use; listening on {candidate} instead");
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error).context(format!("cannot listen on port {candidate}")),
        }
    }
    anyhow::bail!(
        "ports {port} to {} are all in use; choose one with --port",
        port.saturating_add(PORTS)
    )
}

/// Where the ready line goes too; whoever reads may have gone.
fn print_mail(mail: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "\n{mail}").and_then(|()| stdout.flush());
}

/// A file that only this user can read.
fn write_private(file: &Path, text: &str) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", file.display()))
}
