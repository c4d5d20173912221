//! Fido's event store, as its processes use it.

use anyhow::{Context, Result};
use fido_commands::secrets::MasterKey;
use fido_commands::{CommandContext, EventStore, Vault, ambient};
use fido_domain::Actor;
use uuid::Uuid;

use super::notebook::{Notebook, TakeNote};
use super::streams::Streams;
use crate::bench::load::Worker;
use crate::roles;

/// The event store at `app_url`, with the connections that a process of Fido has, however many
/// commands are in flight.
pub(super) async fn open_store(app_url: &str) -> Result<EventStore> {
    let pool = roles::events_pool(app_url).await;
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

/// Has one command in flight.
pub(super) struct FidoWorker {
    store: EventStore,
    streams: Streams,
    text: String,
    account: Uuid,
}

impl FidoWorker {
    /// As many as have commands in flight, on `streams` new streams.
    pub(super) fn crew(
        store: &EventStore,
        in_flight: usize,
        streams: usize,
        text: &str,
    ) -> Vec<Self> {
        let hands = Streams::deal(streams, in_flight).into_iter();
        hands
            .map(|streams| Self {
                store: store.clone(),
                streams,
                text: text.to_owned(),
                account: ambient::new_id(),
            })
            .collect()
    }
}

impl Worker for FidoWorker {
    fn streams(&self) -> usize {
        self.streams.len()
    }

    async fn command(&mut self) -> Result<()> {
        let id = self.streams.take_turn();
        let command = TakeNote {
            text: self.text.clone(),
        };
        let context = CommandContext::new(Actor::user(self.account), self.account);
        self.store
            .execute::<Notebook>(id, command, &context)
            .await?;
        Ok(())
    }
}
