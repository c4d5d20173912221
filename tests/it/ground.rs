//! What everything stands on: a cluster for the test run, databases and a broker for one test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use fido::config::{Addresses, OwnerUrls, ReplicaAddress};
use fido::migrate;
use fido::roles::System;
use fido::seeds::Seeds;
use fido::stack::{NatsServer, OWNER, PostgresCluster, Programs};
use fido_commands::erasure::Register;
use fido_commands::secrets::MasterKey;
use fido_commands::{EventStore, Vault};
use fido_nats::access::Role;
use sqlx::PgPool;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// The one cluster of the test run; its guard ends it with this process.
static CLUSTER: OnceCell<Arc<PostgresCluster>> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

pub(crate) const TEMPLATE_EVENTS: &str = "template_events";
pub(crate) const TEMPLATE_REPLICA: &str = "template_replica";
pub(crate) const REPLICA: &str = "replica1";

/// A cluster of its own, for a test that kills it, with migrated templates in it.
pub(crate) async fn new_cluster() -> PostgresCluster {
    let cluster = PostgresCluster::temporary(&Programs::of_this_machine())
        .await
        .unwrap();
    for template in [TEMPLATE_EVENTS, TEMPLATE_REPLICA] {
        cluster.ensure_database(template).await.unwrap();
    }
    let events = cluster.url(TEMPLATE_EVENTS, OWNER);
    migrate::all(&OwnerUrls {
        events: events.clone(),
        replicas: vec![ReplicaAddress {
            name: REPLICA.to_owned(),
            url: cluster.url(TEMPLATE_REPLICA, OWNER),
        }],
        vault: events,
    })
    .await
    .unwrap();
    cluster
}

/// The cluster, with migrated templates in it.
pub(crate) async fn cluster() -> Arc<PostgresCluster> {
    CLUSTER
        .get_or_init(|| async { Arc::new(new_cluster().await) })
        .await
        .clone()
}

/// Databases and a broker for one test, with nothing of Fido running yet.
pub(crate) struct Ground {
    pub(crate) addresses: Addresses,
    /// The event store, as the owner of its schema.
    pub(crate) events_owner_url: String,
    /// The key that processes on this ground share.
    pub(crate) master_key: String,
    /// For files outside the databases.
    folder: tempfile::TempDir,
    /// Runs as long as the ground is there.
    pub(crate) nats: NatsServer,
}

impl Ground {
    pub(crate) async fn prepare() -> Self {
        Self::with_replicas(1).await
    }

    /// With so many replicas.
    pub(crate) async fn with_replicas(replicas: usize) -> Self {
        let cluster = cluster().await;
        Self::with_replicas_in(&vec![&*cluster; replicas]).await
    }

    /// With a replica in each of these clusters.
    pub(crate) async fn with_replicas_in(clusters: &[&PostgresCluster]) -> Self {
        let cluster = cluster().await;
        let events = new_database(&cluster, TEMPLATE_EVENTS).await;
        let mut replicas = Vec::new();
        for (n, cluster) in (1..).zip(clusters) {
            let replica = new_database(cluster, TEMPLATE_REPLICA).await;
            replicas.push(ReplicaAddress {
                name: format!("replica{n}"),
                url: cluster.url(&replica, "fido_app"),
            });
        }
        let nats = NatsServer::temporary(&Programs::of_this_machine())
            .await
            .unwrap();
        Self {
            addresses: Addresses {
                events_url: cluster.url(&events, "fido_app"),
                replicas,
                analyst_replica: None,
                nats_url: nats.url(),
                nats_seeds: Some(nats.seeds_dir()),
                nats_seed: None,
                events_owner_url: None,
                vault_url: None,
                erasure_register: None,
            },
            events_owner_url: cluster.url(&events, OWNER),
            master_key: MasterKey::generate(),
            folder: tempfile::tempdir().unwrap(),
            nats,
        }
    }

    /// The replicas as a process finds them in `FIDO_REPLICAS`.
    pub(crate) fn replicas(&self) -> String {
        let replicas = self.addresses.replicas.iter();
        let replicas: Vec<_> = replicas
            .map(|replica| format!("{}={}", replica.name, replica.url))
            .collect();
        replicas.join(" ")
    }

    /// A connection pool of its own to the event store, as a process has.
    pub(crate) async fn pool(&self) -> PgPool {
        PgPool::connect(&self.addresses.events_url).await.unwrap()
    }

    /// The vault, with the ground's master key.
    pub(crate) async fn vault(&self) -> Vault {
        let key = MasterKey::parse(&self.master_key).unwrap();
        Vault::new(self.pool().await, key)
    }

    /// An event store as a process of its own has one: own connections, own memory.
    pub(crate) async fn store(&self) -> EventStore {
        EventStore::new(self.pool().await, self.vault().await)
    }

    /// The register of erasures.
    pub(crate) fn register(&self) -> Register {
        Register::new(self.folder.path().join("erasures.jsonl"))
    }

    /// The broker, as whoever may make and delete the event stream.
    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        self.jetstream_as(Role::Relay).await
    }

    async fn jetstream_as(&self, role: Role) -> jetstream::Context {
        let client = as_role(&self.nats, role).connect(self.nats.url()).await;
        jetstream::new(client.unwrap())
    }

    /// Every message of the event stream, in order.
    pub(crate) async fn messages(&self) -> pull::Stream {
        let broker = self.jetstream_as(Role::Api).await;
        let stream = broker.get_stream("FIDO_EVENTS").await.unwrap();
        let consumer = stream
            .create_consumer(pull::Config {
                ack_policy: AckPolicy::None,
                ..pull::Config::default()
            })
            .await
            .unwrap();
        consumer.messages().await.unwrap()
    }

    /// What shows how everything stands.
    pub(crate) async fn operator(&self) -> System {
        self.system_as(Role::Operator).await
    }

    /// The binary, on this ground, with the seed of the role that the first argument names.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fido"));
        command
            .args(arguments)
            .env("FIDO_EVENTS_URL", &self.addresses.events_url)
            .env("FIDO_EVENTS_OWNER_URL", &self.events_owner_url)
            .env("FIDO_REPLICAS", self.replicas())
            .env("FIDO_NATS_URL", &self.addresses.nats_url)
            .env("FIDO_NATS_SEED_FILE", self.seeds().file(role(arguments[0])))
            .env("FIDO_MASTER_KEY", &self.master_key)
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn system(&self) -> System {
        self.system_as(Role::Api).await
    }

    pub(crate) async fn system_as(&self, role: Role) -> System {
        System::connect(&self.addresses, role).await.unwrap()
    }

    pub(crate) fn seeds(&self) -> Seeds {
        Seeds::in_folder(self.nats.seeds_dir())
    }
}

/// How `role` connects to the broker `nats`.
pub(crate) fn as_role(nats: &NatsServer, role: Role) -> async_nats::ConnectOptions {
    let seed = Seeds::in_folder(nats.seeds_dir()).of(role).unwrap();
    async_nats::ConnectOptions::with_nkey(seed.expose().to_owned())
        .custom_inbox_prefix(role.inbox_prefix())
}

/// The role that a subcommand of the binary has.
fn role(subcommand: &str) -> Role {
    match subcommand {
        "relay" => Role::Relay,
        "project" => Role::Projector,
        "serve" => Role::Api,
        "copilot" => Role::Copilot,
        _ => Role::Operator,
    }
}

/// A database of its own, made as `template` is.
pub(crate) async fn new_database(cluster: &PostgresCluster, template: &str) -> String {
    let name = format!(
        "test_{}_{template}",
        DATABASES.fetch_add(1, Ordering::Relaxed)
    );
    let owner = PgPool::connect(&cluster.url("postgres", OWNER))
        .await
        .unwrap();
    sqlx::raw_sql(&format!("create database {name} template {template}"))
        .execute(&owner)
        .await
        .unwrap();
    owner.close().await;
    name
}
