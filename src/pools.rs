//! The connections that one process keeps to its databases.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Connections that one process keeps to one database.
pub(crate) const POOL: u32 = 20;

/// The connections that one process keeps to the vault.
pub(crate) async fn vault(url: &str) -> Result<PgPool> {
    pool(PgConnectOptions::from_str(url)?)
        .await
        .context("the vault cannot be reached (FIDO_VAULT_URL)")
}

/// The connections that one process keeps to the event store.
pub(crate) async fn events(url: &str) -> Result<PgPool, sqlx::Error> {
    pool(PgConnectOptions::from_str(url)?).await
}

/// The connections that one process keeps to a replica, made when they are needed.
pub(crate) fn replica(url: &str) -> Result<PgPool, sqlx::Error> {
    let options =
        PgConnectOptions::from_str(url)?.options([("search_path", fido_projections::SCHEMA)]);
    Ok(pool_options().connect_lazy_with(options.application_name("fido")))
}

async fn pool(options: PgConnectOptions) -> Result<PgPool, sqlx::Error> {
    pool_options()
        .connect_with(options.application_name("fido"))
        .await
}

fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(POOL)
        .acquire_timeout(Duration::from_secs(5))
}
