//! Brings databases up to date, as the owners of their schemas.

use std::str::FromStr;

use anyhow::{Context, Result};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use crate::config::OwnerUrls;

/// Brings the schemas of the event store, the vault and each replica up to date. A replica that cannot
/// be brought up to date keeps none of the others from it.
///
/// # Errors
/// When a database cannot be reached or a migration fails; a failed migration changes nothing.
pub async fn all(owners: &OwnerUrls) -> Result<()> {
    for (what, url, schema, migrations) in [
        (
            "event store",
            &owners.events,
            None,
            &fido_commands::MIGRATIONS,
        ),
        (
            "vault",
            &owners.vault,
            Some("vault"),
            &fido_commands::VAULT_MIGRATIONS,
        ),
    ] {
        one(PgConnectOptions::from_str(url)?, schema, migrations)
            .await
            .with_context(|| not_up_to_date(what))?;
    }
    let mut failed = None;
    for replica in &owners.replicas {
        if let Err(error) = self::replica(&replica.url).await {
            let error = error.context(not_up_to_date(&replica.name));
            if let Some(before) = failed.replace(error) {
                tracing::error!(error = format!("{before:#}"), "a replica was left as it is");
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

fn not_up_to_date(what: &str) -> String {
    format!("the schema of the {what} was not brought up to date")
}

/// Brings the schema of one replica up to date, and the views for analysts with it.
pub(crate) async fn replica(url: &str) -> Result<()> {
    let (schema, migrations) = (fido_projections::SCHEMA, &fido_projections::MIGRATIONS);
    let options = PgConnectOptions::from_str(url)?;
    one(options.clone(), Some(schema), migrations).await?;
    let mut owner = PgConnection::connect_with(&options).await?;
    fido_projections::analytics::define(&mut owner)
        .await
        .context("the views for analysts were not brought up to date")?;
    owner.close().await?;
    Ok(())
}

/// Applies `migrations`, which are kept account of in `schema` so that two sets may share a database.
pub(crate) async fn one(
    mut options: PgConnectOptions,
    schema: Option<&str>,
    migrations: &Migrator,
) -> Result<()> {
    if let Some(schema) = schema {
        options = options.options([("search_path", schema)]);
    }
    let mut owner = PgConnection::connect_with(&options)
        .await
        .context("it cannot be reached")?;
    if let Some(schema) = schema {
        sqlx::raw_sql(&format!("create schema if not exists {schema}"))
            .execute(&mut owner)
            .await?;
    }
    migrations.run(&mut owner).await?;
    owner.close().await?;
    Ok(())
}
