//! Nothing but an event store: databases for it on a server of the test's choice, and how a process
//! opens one.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fido::stack::{OWNER, PostgresCluster, Programs};
use fido_commands::EventStore;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use crate::app::{TEMPLATE_EVENTS, cluster};

/// The migrated database that all others of its server are made of.
const TEMPLATE: &str = "event_store";
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server of its own, for a test that kills it.
pub(crate) async fn server() -> PostgresCluster {
    let cluster = PostgresCluster::temporary(&Programs::of_this_machine())
        .await
        .unwrap();
    cluster.ensure_database(TEMPLATE).await.unwrap();
    let mut owner = PgConnection::connect(&cluster.url(TEMPLATE, OWNER))
        .await
        .unwrap();
    fido_commands::MIGRATIONS.run(&mut owner).await.unwrap();
    owner.close().await.unwrap();
    cluster
}

/// The database of one event store.
#[derive(Clone)]
pub(crate) struct Database {
    /// As the role that Fido runs as.
    pub(crate) app: PgConnectOptions,
    /// As the owner of the schema.
    pub(crate) owner: PgConnectOptions,
}

impl Database {
    /// A new one on a [`server`].
    pub(crate) async fn create(cluster: &PostgresCluster) -> Self {
        Self::like(TEMPLATE, cluster).await
    }

    /// A new one on the server that all tests share, which nobody kills.
    pub(crate) async fn on_the_shared_server() -> Self {
        Self::like(TEMPLATE_EVENTS, &*cluster().await).await
    }

    async fn like(template: &str, cluster: &PostgresCluster) -> Self {
        let name = format!("events_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let owner = PgPool::connect(&cluster.url("postgres", OWNER))
            .await
            .unwrap();
        sqlx::raw_sql(&format!("create database {name} template {template}"))
            .execute(&owner)
            .await
            .unwrap();
        owner.close().await;
        let options = |role| PgConnectOptions::from_str(&cluster.url(&name, role)).unwrap();
        Self {
            app: options("fido_app"),
            owner: options(OWNER),
        }
    }
}

/// The store as a process opens it, with connections of its own; they are made when needed.
pub(crate) async fn open(app: PgConnectOptions) -> EventStore {
    let pool = PgPoolOptions::new()
        .max_connections(6)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(app);
    EventStore::new(pool)
}
