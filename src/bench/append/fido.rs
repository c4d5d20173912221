//! Fido's event store, with one command in flight a worker.

use anyhow::Result;
use fido_commands::{CommandContext, EventStore, ambient};
use fido_domain::Actor;
use uuid::Uuid;

use super::notebook::{Notebook, TakeNote};
use super::streams::Streams;
use crate::bench::load::Worker;

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
