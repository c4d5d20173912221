//! Nothing but an event store: databases for it on a server of the test's choice, and how a process
//! opens one.

use std::str::FromStr;
use std::time::Duration;

use fido::stack::{OWNER, PostgresCluster};
use fido_commands::secrets::MasterKey;
use fido_commands::{EventStore, Vault};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::ground::{TEMPLATE_EVENTS, cluster, new_database};

/// The database of one event store, its vault included.
#[derive(Clone)]
pub(crate) struct Database {
    /// As the role that Fido runs as.
    pub(crate) app: PgConnectOptions,
    /// As the owner of the schema.
    pub(crate) owner: PgConnectOptions,
    master_key: String,
}

impl Database {
    /// A new one on `cluster`, which has the templates.
    pub(crate) async fn create(cluster: &PostgresCluster) -> Self {
        let name = new_database(cluster, TEMPLATE_EVENTS).await;
        let options = |role| PgConnectOptions::from_str(&cluster.url(&name, role)).unwrap();
        Self {
            app: options("fido_app"),
            owner: options(OWNER),
            master_key: MasterKey::generate(),
        }
    }

    /// A new one on the cluster that all tests share, which nobody kills.
    pub(crate) async fn on_the_shared_cluster() -> Self {
        Self::create(&*cluster().await).await
    }

    /// The store as a process opens it: connections of its own, made by way of `line` when needed.
    pub(crate) fn open(&self, line: PgConnectOptions) -> EventStore {
        let pool = PgPoolOptions::new()
            .max_connections(6)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(line);
        let vault = Vault::new(pool.clone(), MasterKey::parse(&self.master_key).unwrap());
        EventStore::new(pool, vault)
    }
}
