//! The server that is measured: a private one that vanishes afterwards, or a given one, on which
//! the measurement makes databases of its own and drops them again.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::Args;
use fido_commands::ambient;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use tokio_util::sync::CancellationToken;

use crate::migrate;
use crate::stack::{ClusterSettings, Durability, OWNER, PostgresCluster, Programs};

/// The role that Fido runs as.
const APP: &str = "fido_app";

/// Which server is measured.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// A server to use instead of a private one, as a role that may create roles and databases;
    /// databases named fido_bench_… are made on it and dropped afterwards. The address of the event
    /// store in use is never taken from the environment.
    #[arg(long, env = "FIDO_BENCH_EVENTS_OWNER_URL", hide_env_values = true)]
    events_owner_url: Option<String>,
    /// That server as role fido_app, where it needs a password of its own.
    #[arg(
        long,
        env = "FIDO_BENCH_EVENTS_URL",
        hide_env_values = true,
        requires = "events_owner_url"
    )]
    events_url: Option<String>,
}

/// A server, and what was made on it.
pub(super) struct Server {
    cluster: Option<PostgresCluster>,
    owner: PgConnectOptions,
    app: PgConnectOptions,
    admin: PgPool,
    /// What the names of this run's databases begin with.
    prefix: String,
    databases: Vec<String>,
}

/// A database that was made for the measurement.
pub(super) struct Database {
    /// As the owner of everything in it.
    pub(super) owner: PgPool,
    /// As the role that Fido runs as.
    pub(super) app: PgConnectOptions,
    name: String,
}

impl Database {
    /// The URL for the role that Fido runs as.
    pub(super) fn app_url(&self) -> String {
        self.app.to_url_lossy().to_string()
    }

    /// Where it is for the owner of everything in it.
    pub(super) fn owner_options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.owner.connect_options())
    }
}

/// Measures on a server, and removes whatever was made, also when `shutdown` comes first.
///
/// # Errors
/// When the server cannot be used, the measurement fails, or `shutdown` comes first.
pub(super) async fn on_server<T>(
    args: &ServerArgs,
    connections: u32,
    shutdown: CancellationToken,
    measure: impl AsyncFnOnce(&mut Server) -> Result<T>,
) -> Result<T> {
    let mut server = Server::start(args, connections).await?;
    let measured = tokio::select! {
        () = shutdown.cancelled() => Err(anyhow::anyhow!("interrupted")),
        measured = measure(&mut server) => measured,
    };
    let ended = server.end().await;
    let measured = measured?;
    ended?;
    Ok(measured)
}

impl Server {
    /// Starts a private server that flushes every commit, or connects to the given one.
    ///
    /// # Errors
    /// When it does not start, cannot be reached, or takes fewer than `connections` connections.
    pub(super) async fn start(args: &ServerArgs, connections: u32) -> Result<Self> {
        let (cluster, owner_url) = match &args.events_owner_url {
            Some(url) => (None, url.clone()),
            None => {
                let settings = ClusterSettings {
                    durability: Durability::PowerCut,
                    max_connections: connections,
                };
                let programs = Programs::of_this_machine();
                let cluster = PostgresCluster::temporary_with(&programs, settings).await?;
                let url = cluster.url("postgres", OWNER);
                (Some(cluster), url)
            }
        };
        // The statements of a fill are slow by nature, which is not worth a line of log.
        let owner = PgConnectOptions::from_str(&owner_url)
            .context("--events-owner-url is no URL of PostgreSQL")?
            .disable_statement_logging();
        let app = match &args.events_url {
            Some(url) => {
                PgConnectOptions::from_str(url).context("--events-url is no URL of PostgreSQL")?
            }
            None => owner.clone().username(APP),
        };
        let admin = pool(owner.clone())
            .await
            .context("the server cannot be reached (--events-owner-url)")?;
        let server = Self {
            cluster,
            owner,
            app,
            admin,
            prefix: format!(
                "fido_bench_{}",
                &ambient::new_id().simple().to_string()[24..]
            ),
            databases: Vec::new(),
        };
        server.check_connections(connections).await?;
        Ok(server)
    }

    /// The server as its owner, in whichever database.
    pub(super) fn admin(&self) -> &PgPool {
        &self.admin
    }

    /// Makes a database and brings it up to the schema of an event store.
    ///
    /// # Errors
    /// When the owner may not, or the server cannot be reached.
    pub(super) async fn make_database(&mut self, purpose: &str) -> Result<Database> {
        let database = self.make_empty_database(purpose).await?;
        let options = database.owner_options();
        migrate::one(options.clone(), None, &fido_commands::MIGRATIONS).await?;
        migrate::one(options, Some("vault"), &fido_commands::VAULT_MIGRATIONS).await?;
        Ok(database)
    }

    /// Makes a database and brings it up to the schema of a replica.
    ///
    /// # Errors
    /// When the owner may not, or the server cannot be reached.
    pub(super) async fn make_replica(&mut self, purpose: &str) -> Result<Database> {
        let database = self.make_empty_database(purpose).await?;
        let (schema, migrations) = (fido_projections::SCHEMA, &fido_projections::MIGRATIONS);
        migrate::one(database.owner_options(), Some(schema), migrations).await?;
        Ok(database)
    }

    /// Makes a database with nothing in it.
    ///
    /// # Errors
    /// When the owner may not, or the server cannot be reached.
    pub(super) async fn make_empty_database(&mut self, purpose: &str) -> Result<Database> {
        let name = format!("{}_{purpose}", self.prefix);
        sqlx::raw_sql(&format!("create database {name}"))
            .execute(&self.admin)
            .await
            .with_context(|| format!("the database {name} was not made"))?;
        self.databases.push(name.clone());
        let owner = pool(self.owner.clone().database(&name)).await?;
        Ok(Database {
            owner,
            app: self.app.clone().database(&name),
            name,
        })
    }

    /// Drops a database before the end.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(super) async fn drop_database(&mut self, database: Database) -> Result<()> {
        database.owner.close().await;
        self.drop_named(&database.name).await?;
        self.databases.retain(|name| *name != database.name);
        Ok(())
    }

    /// Removes whatever was made: the private server, or the databases on the given one.
    ///
    /// # Errors
    /// When the server cannot be reached or does not stop.
    pub(super) async fn end(mut self) -> Result<()> {
        if let Some(cluster) = self.cluster.take() {
            self.admin.close().await;
            return Ok(cluster.stop().await?);
        }
        for name in std::mem::take(&mut self.databases) {
            self.drop_named(&name).await?;
        }
        self.admin.close().await;
        Ok(())
    }

    async fn drop_named(&self, name: &str) -> Result<()> {
        sqlx::raw_sql(&format!("drop database if exists {name} with (force)"))
            .execute(&self.admin)
            .await
            .with_context(|| format!("the database {name} was not dropped"))?;
        Ok(())
    }

    async fn check_connections(&self, needed: u32) -> Result<()> {
        let allowed: i32 = sqlx::query_scalar("select current_setting('max_connections')::integer")
            .fetch_one(&self.admin)
            .await?;
        if i64::from(allowed) < i64::from(needed) {
            bail!(
                "the server takes {allowed} connections and {needed} are needed: \
                 raise max_connections, or lower --in-flight"
            );
        }
        Ok(())
    }
}

async fn pool(options: PgConnectOptions) -> Result<PgPool> {
    Ok(PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options.application_name("fido bench"))
        .await?)
}
