//! What the figures depend on: the machine and how the server is set.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use sqlx::PgPool;

/// The settings that an append depends on most.
const SETTINGS: &str = "select name, setting || coalesce(' ' || unit, '') from pg_settings where name in \
     ('server_version', 'fsync', 'synchronous_commit', 'wal_sync_method', 'full_page_writes', \
      'shared_buffers', 'max_wal_size', 'max_connections', 'data_checksums')";

/// Where it was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Facts {
    /// The version of Fido.
    pub(super) fido: &'static str,
    /// Whether this binary is optimised; figures of one that is not say nothing.
    pub(super) optimised: bool,
    /// The operating system and the processor's kind.
    pub(super) system: String,
    /// Processors that clients and server share, if the server is on this machine.
    pub(super) cores: usize,
    /// How PostgreSQL is set.
    pub(super) postgres: BTreeMap<String, String>,
}

impl Facts {
    /// Asks the machine and the server.
    pub(super) async fn find(server: &PgPool) -> Result<Self> {
        let settings: Vec<(String, String)> = sqlx::query_as(SETTINGS).fetch_all(server).await?;
        Ok(Self {
            fido: env!("CARGO_PKG_VERSION"),
            optimised: !cfg!(debug_assertions),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            postgres: settings.into_iter().collect(),
        })
    }

    /// One setting of the server.
    pub(super) fn postgres(&self, name: &str) -> &str {
        self.postgres.get(name).map_or("?", String::as_str)
    }
}
