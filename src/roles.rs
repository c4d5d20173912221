//! Puts the parts together: one function a role. `fido dev` runs them all.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use fido_api::{Api, ApiConfig};
use fido_commands::auth::Auth;
use fido_commands::erasure::{Eraser, Register};
use fido_commands::log::Log;
use fido_commands::secrets::MasterKeys;
use fido_commands::{EventStore, Vault};
use fido_copilot::gateway::{ApiKey, Gateway, GatewayConfig};
use fido_copilot::worker::Worker;
use fido_domain::Position;
use fido_nats::access::Role;
use fido_nats::backoff::Backoff;
use fido_nats::{Nats, NatsError, relay, wake};
use fido_projections::drift::DriftWatch;
use fido_projections::projector::Projector;
use fido_projections::{Replica, Replicas};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Addresses, DriftArgs, ModelArgs, ReplicaAddress, VaultPlace};
use crate::pools;

const NO_EVENT_STORE: &str = "the event store cannot be reached (FIDO_EVENTS_URL)";
const NO_REPLICA: &str = "no replica can be reached (FIDO_REPLICAS)";

/// Connected to everything; every role is made of this. Cheap to clone.
#[derive(Clone)]
pub struct System {
    events: PgPool,
    replicas: Vec<Replica>,
    nats: Nats,
}

impl System {
    /// Connects to the event store and to NATS as `role`. Replicas are connected to when they are
    /// asked: any of them may be away for a while.
    ///
    /// # Errors
    /// When one of the two cannot be reached, or an address is none.
    pub async fn connect(addresses: &Addresses, role: Role) -> Result<Self> {
        Ok(Self {
            events: pools::events(&addresses.events_url)
                .await
                .context(NO_EVENT_STORE)?,
            replicas: replicas(addresses)?,
            nats: connect_nats(addresses, role).await?,
        })
    }

    /// The log, for reading.
    pub fn log(&self) -> Log {
        Log::new(self.events.clone())
    }

    /// The broker.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// The read side.
    pub fn replicas(&self) -> Replicas {
        Replicas::new(self.replicas.iter().cloned())
    }

    /// The vault at `place`, opened with `keys` and fit for this log.
    ///
    /// # Errors
    /// When it cannot be reached, another master key wraps it, or it is empty although the log is not.
    pub async fn vault(&self, place: &VaultPlace, keys: MasterKeys) -> Result<Vault> {
        let vault = Vault::new(pools::vault(&place.url).await?, keys);
        if self.log().head().await? > 0 && vault.is_new().await? {
            bail!(
                "the vault is empty but the log is not: it is another vault (FIDO_VAULT_URL), or its \
                 keys are lost; with a new one everything recorded so far would read as erased"
            );
        }
        vault.pepper().await?;
        if let Some(file) = &place.register {
            let entries = Register::new(file).entries().await?;
            let back = vault.enforce(&entries).await?;
            if back > 0 {
                tracing::warn!(
                    erasures = back,
                    "keys of erased content had come back, as with an old backup; destroyed again"
                );
            }
        }
        Ok(vault)
    }

    /// The event store, for a command that ends soon: nobody wakes the relay for it.
    pub fn store(&self, vault: Vault) -> EventStore {
        EventStore::new(self.events.clone(), vault)
    }

    /// Serves the API on `listener` until `shutdown`, then lets requests end.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        vault: Vault,
        register: Option<Register>,
        config: ApiConfig,
        shutdown: CancellationToken,
    ) -> Result<()> {
        let Some((store, replicas, tasks)) = self.write_and_read(vault, &shutdown).await else {
            return Ok(());
        };
        let auth = Auth::new(store.clone());
        tasks.spawn(sweep(store.clone(), auth.clone(), shutdown.clone()));
        tasks.close();
        let eraser = Eraser::new(store.clone(), register);
        resume_erasures(&eraser).await;
        let api = Api::new(store, auth, eraser, replicas, self.nats, config);
        let served = fido_api::serve(api, listener, shutdown.clone()).await;
        // What serving leaves behind follows; without this a failed listener would leave it waiting.
        shutdown.cancel();
        tasks.wait().await;
        Ok(served?)
    }

    /// Publishes the log until `shutdown`.
    pub async fn relay(self, shutdown: CancellationToken) {
        relay::run(self.log(), self.nats, shutdown).await;
    }

    /// The projector of the replica `name`, which keeps it up to date when it is run.
    ///
    /// # Errors
    /// When there is no replica of that name.
    pub fn projector(&self, name: &str) -> Result<Projector> {
        let replica = self.replicas.iter().find(|replica| replica.name == name);
        let replica = replica.with_context(|| format!("there is no replica {name}"))?;
        Ok(Projector {
            log: self.log(),
            replica: replica.name.clone(),
            pool: replica.pool.clone(),
            nats: self.nats.clone(),
        })
    }

    /// The watch over the replica `name`, which looks now and then whether it still holds what the
    /// log says; none when it is told to look at nothing.
    ///
    /// # Errors
    /// When there is no replica of that name.
    pub fn drift_watch(&self, name: &str, settings: DriftArgs) -> Result<Option<DriftWatch>> {
        let projector = self.projector(name)?;
        Ok((settings.drift_streams > 0).then(|| DriftWatch {
            log: projector.log,
            replica: projector.replica,
            place: PgConnectOptions::clone(&projector.pool.connect_options()),
            every: Duration::from_secs(settings.drift_seconds),
            streams: settings.drift_streams,
        }))
    }

    /// Answers people through `gateway` until `shutdown`, then lets replies end.
    pub async fn copilot(
        self,
        gateway: Gateway,
        vault: Vault,
        concurrency: usize,
        shutdown: CancellationToken,
    ) {
        let Some((store, replicas, tasks)) = self.write_and_read(vault, &shutdown).await else {
            return;
        };
        tasks.close();
        Worker::new(store, replicas, self.nats, gateway, concurrency)
            .run(shutdown)
            .await;
        tasks.wait().await;
    }

    /// A store that wakes the relay and knows how far the log has been seen, and a replica whose
    /// position is followed; none when `shutdown` comes first.
    async fn write_and_read(
        &self,
        vault: Vault,
        shutdown: &CancellationToken,
    ) -> Option<(EventStore, Replicas, TaskTracker)> {
        let store = self.store(vault);
        let replicas = self.replicas();
        let mut backoff = Backoff::default();
        while let Err(error) = self.compare_heads(&store, &replicas).await {
            if shutdown.is_cancelled() {
                return None;
            }
            tracing::warn!(
                error = format!("{error:#}"),
                "how far the log has been seen is not known yet, so nothing is written"
            );
            backoff.wait(shutdown).await;
        }
        let tasks = TaskTracker::new();
        tasks.spawn(wake::announce_appends(
            self.nats.clone(),
            store.appended(),
            shutdown.clone(),
        ));
        tasks.spawn(replicas.clone().follow(self.nats.clone(), shutdown.clone()));
        tasks.spawn(witness(
            store.clone(),
            replicas.positions(),
            shutdown.clone(),
        ));
        Some((store, replicas, tasks))
    }

    /// Tells the store how far the stream and the replicas have seen the log. A process that has just
    /// started could otherwise append to a log that has lost its tail. A replica that is away is not
    /// waited for: it is heard of when it is back.
    async fn compare_heads(&self, store: &EventStore, replicas: &Replicas) -> Result<()> {
        replicas.expect(self.log().epochs().await?.current());
        match self.nats.status().await {
            Ok(stream) => store.witness(stream.last),
            Err(NatsError::NoStream) => {}
            Err(error) => return Err(error.into()),
        }
        let mut none = Some(NO_REPLICA);
        for surveyed in replicas.survey().await {
            match surveyed.found {
                Ok(_) if surveyed.is_other_log => tracing::error!(
                    replica.name = surveyed.name,
                    "the replica shows another log and is not used: does its address belong to \
                     another installation?"
                ),
                Ok(shown) => {
                    store.witness(shown.position);
                    none = None;
                }
                Err(error) => tracing::warn!(
                    replica.name = surveyed.name,
                    error = %error,
                    "a replica cannot be asked how far it has seen the log"
                ),
            }
        }
        match none {
            Some(none) => bail!(none),
            None => Ok(()),
        }
    }
}

/// Tells `store` whatever `positions` says, until `shutdown`.
async fn witness(
    store: EventStore,
    mut positions: watch::Receiver<Position>,
    shutdown: CancellationToken,
) {
    while let Some(Ok(())) = shutdown.run_until_cancelled(positions.changed()).await {
        store.witness(*positions.borrow_and_update());
    }
}

/// The broker, as `role`.
///
/// # Errors
/// When its address or its seed is wrong, or it cannot be reached.
pub async fn connect_nats(addresses: &Addresses, role: Role) -> Result<Nats> {
    let seed = addresses.seed_of(role)?;
    Nats::connect(&addresses.nats_url, role, seed.as_ref())
        .await
        .context("NATS cannot be used (FIDO_NATS_URL, FIDO_NATS_SEED)")
}

/// The way to the model provider that `model` describes, paid with `key`.
///
/// # Errors
/// When the configuration cannot be right.
pub fn gateway(model: &ModelArgs, key: &str) -> Result<Gateway> {
    let key = ApiKey::parse(key).context("FIDO_MODEL_API_KEY is no key")?;
    let config = GatewayConfig::new(&model.model_url, key, &model.model);
    Gateway::new(config).context("the model provider is misconfigured (FIDO_MODEL_URL)")
}

/// The log alone, for those who only look into it.
///
/// # Errors
/// When the event store cannot be reached.
pub async fn open_log(events_url: &str) -> Result<Log> {
    let events = pools::events(events_url).await;
    Ok(Log::new(events.context(NO_EVENT_STORE)?))
}

/// The replicas alone. Each is connected to when it is asked.
///
/// # Errors
/// When an address is none.
pub fn open_replicas(addresses: &Addresses) -> Result<Replicas> {
    Ok(Replicas::new(replicas(addresses)?))
}

/// One replica alone, connected to when it is asked.
///
/// # Errors
/// When its address is none.
pub fn open_replica(replica: &ReplicaAddress) -> Result<Replicas> {
    Ok(Replicas::new([Replica {
        name: replica.name.clone(),
        pool: pools::replica(&replica.url)?,
        is_reserved: false,
    }]))
}

fn replicas(addresses: &Addresses) -> Result<Vec<Replica>> {
    let analysts = addresses.analyst_replica.as_deref();
    let replicas = addresses.replicas.iter().map(|replica| {
        let pool = pools::replica(&replica.url);
        Ok(Replica {
            name: replica.name.clone(),
            pool: pool.with_context(|| format!("the address of {} is none", replica.name))?,
            is_reserved: analysts == Some(&replica.name),
        })
    });
    replicas.collect()
}

/// Completes what a crash has interrupted. What cannot be completed now is, at the next start.
async fn resume_erasures(eraser: &Eraser) {
    match eraser.resume().await {
        Ok(0) => {}
        Ok(erasures) => tracing::info!(erasures, "erasures that were interrupted are complete"),
        Err(error) => tracing::error!(error = %error, "an interrupted erasure is not complete yet"),
    }
}

/// Deletes what is over, receipts and sign-in data, now and every hour.
async fn sweep(store: EventStore, auth: Auth, shutdown: CancellationToken) {
    let mut hourly = tokio::time::interval(Duration::from_secs(60 * 60));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = hourly.tick() => {}
        }
        match store.sweep_receipts().await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(receipts = swept, "receipts of idempotency keys swept"),
            Err(error) => tracing::warn!(error = %error, "receipts were not swept"),
        }
        match auth.sweep().await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(rows = swept, "sign-in data that is over swept"),
            Err(error) => tracing::warn!(error = %error, "sign-in data was not swept"),
        }
    }
}
