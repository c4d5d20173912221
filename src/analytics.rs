//! `fido analytics docs`: what the views for analysts say, from the comments in the database.

use anyhow::{Context, Result};
use fido_projections::analytics;
use sqlx::{Connection, PgConnection};

use crate::migrate;
use crate::stack::{OWNER, PostgresCluster, Programs};

/// The page `docs/analytics.md`. A private server is started for it, which vanishes afterwards.
///
/// # Errors
/// When PostgreSQL is missing or the schema cannot be made.
pub async fn docs() -> Result<String> {
    const DATABASE: &str = "fido_replica";
    let cluster = PostgresCluster::temporary(&Programs::of_this_machine()).await?;
    cluster.ensure_database(DATABASE).await?;
    let url = cluster.url(DATABASE, OWNER);
    migrate::replica(&url)
        .await
        .context("the schema of a replica cannot be made")?;
    let mut owner = PgConnection::connect(&url).await?;
    let page = analytics::markdown(&mut owner).await?;
    owner.close().await?;
    cluster.stop().await?;
    Ok(page)
}
