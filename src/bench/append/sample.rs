//! The payload that everybody stores: about 500 bytes as Fido stores them, the same for all.

use anyhow::{Context, Result};
use fido_commands::{CommandContext, EventStore, ambient};
use fido_domain::Actor;
use sqlx::PgPool;

use super::notebook::{Notebook, TakeNote, note};

/// How large a stored payload should be, in bytes.
const PAYLOAD: usize = 500;
/// Two lengths of text from which that of any other follows, however the text is stored.
const PROBES: [usize; 2] = [100, 220];

/// One command and what Fido stored of it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// The text of the command.
    pub(super) text: String,
    /// The stored payload.
    pub(super) payload: String,
    /// The stored metadata.
    pub(super) metadata: String,
}

/// The commands that [`Sample::find`] issues.
pub(super) const SAMPLES: u64 = PROBES.len() as u64 + 1;

impl Sample {
    /// Finds the text whose stored payload is about 500 bytes, by storing some.
    pub(super) async fn find(store: &EventStore, owner: &PgPool) -> Result<Self> {
        let [short, long] = PROBES;
        let stored_short = stored(store, owner, note(short)).await?.payload.len();
        let stored_long = stored(store, owner, note(long)).await?.payload.len();
        let room = PAYLOAD.saturating_sub(stored_short);
        let length = short + room * (long - short) / (stored_long - stored_short).max(1);
        stored(store, owner, note(length)).await
    }
}

/// What Fido stores of `text`, in a stream of its own.
pub(super) async fn stored(store: &EventStore, owner: &PgPool, text: String) -> Result<Sample> {
    let account = ambient::new_id();
    let context = CommandContext::new(Actor::user(account), account);
    let command = TakeNote { text: text.clone() };
    let committed = store
        .execute::<Notebook>(ambient::new_id(), command, &context)
        .await?;
    let (payload, metadata) =
        sqlx::query_as("select payload::text, metadata::text from events where position = $1")
            .bind(committed.position)
            .fetch_one(owner)
            .await
            .context("the event that was just stored cannot be read")?;
    Ok(Sample {
        text,
        payload,
        metadata,
    })
}
