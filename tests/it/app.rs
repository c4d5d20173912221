//! Fido for one test: every role in this process, on databases and a nats-server of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use fido::config::{Addresses, OwnerUrls, ReplicaAddress};
use fido::model::{self, OfflineModel};
use fido::roles::{self, System};
use fido::seeds::Seeds;
use fido::stack::{NatsServer, OWNER, PostgresCluster, Programs};
use fido_api::{ApiConfig, SessionCookie};
use fido_commands::erasure::Register;
use fido_commands::secrets::MasterKey;
use fido_commands::{EventStore, Vault};
use fido_nats::access::Role;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The one cluster of the test run; its guard ends it with this process.
static CLUSTER: OnceCell<Arc<PostgresCluster>> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

pub(crate) const TEMPLATE_EVENTS: &str = "template_events";
pub(crate) const TEMPLATE_REPLICA: &str = "template_replica";
pub(crate) const REPLICA: &str = "replica1";
/// An offline model that writes as fast as it can.
pub(crate) const UNPACED: model::Options = model::Options {
    first_token_ms: 0,
    tokens_per_second: 0,
};

/// A cluster of its own, for a test that kills it, with migrated templates in it.
pub(crate) async fn new_cluster() -> PostgresCluster {
    let cluster = PostgresCluster::temporary(&Programs::of_this_machine())
        .await
        .unwrap();
    for template in [TEMPLATE_EVENTS, TEMPLATE_REPLICA] {
        cluster.ensure_database(template).await.unwrap();
    }
    let events = cluster.url(TEMPLATE_EVENTS, OWNER);
    roles::migrate(&OwnerUrls {
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

/// A client, once the process can do TLS (reqwest asks for that even where none is used).
pub(crate) fn http_client() -> reqwest::Client {
    // Only an error when another test has done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
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
async fn new_database(cluster: &PostgresCluster, template: &str) -> String {
    let name = format!(
        "test_{}_{template}",
        DATABASES.fetch_add(1, Ordering::Relaxed)
    );
    let mut owner = PgConnection::connect(&cluster.url("postgres", OWNER))
        .await
        .unwrap();
    sqlx::raw_sql(&format!("create database {name} template {template}"))
        .execute(&mut owner)
        .await
        .unwrap();
    name
}

/// A projector that runs.
struct Projecting {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// All of Fido, listening on a free port.
pub(crate) struct TestApp {
    pub(crate) ground: Ground,
    pub(crate) http: reqwest::Client,
    base: String,
    shutdown: CancellationToken,
    projectors: Mutex<HashMap<String, Projecting>>,
}

/// Somebody who has registered.
pub(crate) struct TestUser {
    pub(crate) account_id: Uuid,
    pub(crate) token: String,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(UNPACED).await
    }

    /// Without co-pilots: nothing happens that the test does not do.
    pub(crate) async fn start_quiet() -> Self {
        Self::start_on(Ground::prepare().await).await
    }

    /// The same on a ground that was prepared otherwise, with a projector for each replica of it.
    pub(crate) async fn start_on(ground: Ground) -> Self {
        Self::serve(http_client(), ground, CancellationToken::new()).await
    }

    /// With an offline model that writes as `offline` says.
    pub(crate) async fn start_with(offline: model::Options) -> Self {
        let (http, ground) = (http_client(), Ground::prepare().await);
        let app = Self::serve(http, ground, CancellationToken::new()).await;
        app.start_copilots(offline).await;
        app
    }

    /// Lets co-pilots listen, with an offline model that writes as `offline` says.
    pub(crate) async fn start_copilots(&self, offline: model::Options) {
        let shutdown = self.shutdown.clone();
        let (model, serve) =
            OfflineModel::bind(([127, 0, 0, 1], 0).into(), offline, shutdown.clone())
                .await
                .unwrap();
        tokio::spawn(serve);
        let gateway = roles::gateway(
            &fido::config::ModelArgs {
                model_url: format!("http://{model}/v1"),
                model: model::NAME.to_owned(),
                concurrency: 16,
            },
            "test",
        )
        .unwrap();
        let system = self.ground.system_as(Role::Copilot).await;
        let vault = self.ground.vault().await;
        tokio::spawn(system.copilot(gateway, vault, 16, shutdown));
    }

    async fn serve(http: reqwest::Client, ground: Ground, shutdown: CancellationToken) -> Self {
        let system = ground.system().await;
        let relay = ground.system_as(Role::Relay).await;
        tokio::spawn(relay.relay(shutdown.clone()));
        let projectors = Mutex::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let config = ApiConfig {
            cookie: SessionCookie::PlainLocalhost,
        };
        let vault = ground.vault().await;
        let register = Some(ground.register());
        tokio::spawn(system.serve(listener, vault, register, config, shutdown.clone()));
        let app = Self {
            ground,
            http,
            base,
            shutdown,
            projectors,
        };
        for replica in &app.ground.addresses.replicas {
            app.project(&replica.name).await;
        }
        app
    }

    /// Lets the projector of `replica` run.
    pub(crate) async fn project(&self, replica: &str) {
        let stop = self.shutdown.child_token();
        let system = self.ground.system_as(Role::Projector).await;
        let projector = system.projector(replica).unwrap();
        let task = tokio::spawn(projector.run(stop.clone()));
        let mut projectors = self.projectors.lock().await;
        projectors.insert(replica.to_owned(), Projecting { stop, task });
    }

    /// Stops the projector of `replica`, which serves on where it is.
    pub(crate) async fn stop_projecting(&self, replica: &str) {
        let running = self.projectors.lock().await.remove(replica);
        let Projecting { stop, task } = running.expect("a projector that runs");
        stop.cancel();
        task.await.unwrap();
    }

    /// The address of `path` in this app.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Somebody new, with an address made of `name`.
    pub(crate) async fn register(&self, name: &str) -> TestUser {
        let response = self
            .http
            .post(self.url("/v1/accounts"))
            .json(&json!({
                "email": format!("{name}@example.com"),
                "password": "correct horse",
                "display_name": name,
            }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201, "{:?}", response.text().await);
        let body: Value = response.json().await.unwrap();
        TestUser {
            account_id: body["account"]["id"].as_str().unwrap().parse().unwrap(),
            token: body["token"].as_str().unwrap().to_owned(),
        }
    }

    /// POSTs as `user`, expects `status`, answers with the body and the position.
    pub(crate) async fn post(
        &self,
        user: &TestUser,
        path: &str,
        body: Value,
        status: u16,
    ) -> (Value, i64) {
        let response = self
            .http
            .post(self.url(path))
            .bearer_auth(&user.token)
            .json(&body)
            .send()
            .await
            .unwrap();
        let found = response.status();
        let position = response
            .headers()
            .get("fido-position")
            .map_or(0, |position| position.to_str().unwrap().parse().unwrap());
        let body = response.json().await.unwrap();
        assert_eq!(found, status, "{path}: {body}");
        (body, position)
    }

    /// GETs as `user` what the log was at `position` or later, expects success.
    pub(crate) async fn get(&self, user: &TestUser, path: &str, position: i64) -> Value {
        let response = self
            .http
            .get(self.url(path))
            .bearer_auth(&user.token)
            .header("Fido-Min-Position", position)
            .send()
            .await
            .unwrap();
        let found = response.status();
        let body = response.json().await.unwrap();
        assert_eq!(found, 200, "{path}: {body}");
        body
    }

    /// A new conversation of `user`.
    pub(crate) async fn start_conversation(&self, user: &TestUser) -> Uuid {
        let (conversation, _) = self
            .post(
                user,
                "/v1/conversations",
                json!({"copilot": "business_plan_architect"}),
                201,
            )
            .await;
        conversation["id"].as_str().unwrap().parse().unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
