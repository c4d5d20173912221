//! The event store of a measurement, as Fido's processes open it.

use anyhow::{Context, Result};
use fido_commands::secrets::MasterKey;
use fido_commands::{EventStore, Vault};

use crate::pools;

/// The event store at `app_url`, with the connections that a process of Fido has, however many
/// commands are in flight.
pub(super) async fn open_store(app_url: &str) -> Result<EventStore> {
    let pool = pools::events(app_url).await;
    let pool = pool.context("the event store cannot be reached")?;
    // Nobody opens what another process has sealed, so each may have a key of its own.
    let key = MasterKey::parse(&MasterKey::generate())?;
    let vault = Vault::new(pool.clone(), key);
    Ok(EventStore::new(pool, vault))
}

/// Lets go of the store's connections.
pub(super) async fn close_store(store: EventStore) {
    store.pool().close().await;
}
