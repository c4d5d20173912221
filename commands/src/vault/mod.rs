//! The vault: the keys of personal content, and who may still open what.
//!
//! Every stream has a key of its own, wrapped by the key of the person whose stream it is, which is
//! wrapped by the master key. [`EventStore`](crate::EventStore) seals with it on the way in; whoever
//! shows content to its owner opens it here; projections and the relay have no part in this. Once a
//! key is destroyed ([`erasure`](crate::erasure)) everything that was sealed with it is `[erased]`,
//! in the log, in every replica, and in every backup of them.

mod destroy;
mod keys;
mod rotate;
pub(crate) mod seal;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fido_domain::{Private, Recorded};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sqlx::PgPool;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use rotate::Rotated;
pub use seal::Unstorable;

use crate::secrets::{Key, MasterKeys, NotOpened};
use seal::As;

/// How long another process may still use a key that was destroyed, where it does not hear of it.
const KEPT: Duration = Duration::from_secs(30);
/// Keys that are kept at hand.
const KEYS: u64 = 100_000;

/// A stream, by kind and id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The kind of stream ([`fido_domain::Evolve::TYPE`]).
    pub aggregate_type: Cow<'static, str>,
    /// Which one.
    pub id: Uuid,
}

impl StreamId {
    /// The stream `id` of the kind `aggregate_type`.
    pub fn new(aggregate_type: impl Into<Cow<'static, str>>, id: Uuid) -> Self {
        Self {
            aggregate_type: aggregate_type.into(),
            id,
        }
    }

    /// The stream that `recorded` is an event of.
    pub fn of(recorded: &Recorded) -> Self {
        Self::new(recorded.aggregate_type.clone(), recorded.aggregate_id)
    }
}

/// A key could not be had, or did not fit.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The database of keys could not be asked.
    #[error("the vault cannot be reached")]
    Database(#[from] sqlx::Error),
    /// The key was destroyed: there is nothing to read, and nothing may be added.
    #[error("the key of this content was destroyed")]
    Erased,
    /// No master key at hand wraps it.
    #[error(
        "the vault's keys are wrapped with master key {found}; set FIDO_MASTER_KEY (or FIDO_PREVIOUS_MASTER_KEY) to that one"
    )]
    OtherMasterKey {
        /// The name of the master key that is missing ([`crate::secrets::MasterKey::id`]).
        found: String,
    },
    /// A key or content was changed, or belongs elsewhere.
    #[error("something in the vault or sealed with it is damaged")]
    Damaged(#[from] NotOpened),
}

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    pool: PgPool,
    master: MasterKeys,
    streams: Cache<StreamId, StreamKey>,
    subjects: Cache<Uuid, Key>,
    pepper: OnceCell<Pepper>,
}

fn keys_at_hand<K, V>() -> Cache<K, V>
where
    K: Eq + std::hash::Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let cache = Cache::builder().max_capacity(KEYS);
    cache.time_to_live(KEPT).build()
}

/// A stream's key, as far as there is one.
#[derive(Debug, Clone)]
struct StreamKey {
    subject: Uuid,
    /// None once it was destroyed.
    key: Option<Key>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

/// The key of keyed hashes: values are recognised, and nobody without it can try out which they are.
#[derive(Debug, Clone)]
pub struct Pepper(Key);

impl Pepper {
    /// HMAC-SHA-256 of `parts` for one `purpose`, so that a hash says nothing elsewhere.
    pub fn hash(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        let all: Vec<&[u8]> = std::iter::once(purpose.as_bytes())
            .chain(parts.iter().copied())
            .collect();
        self.0.hash(&all)
    }
}

impl Vault {
    /// The vault in schema `vault` of `pool`'s database, opened with `master`.
    pub fn new(pool: PgPool, master: impl Into<MasterKeys>) -> Self {
        Self(Arc::new(Inner {
            pool,
            master: master.into(),
            streams: keys_at_hand(),
            subjects: keys_at_hand(),
            pepper: OnceCell::new(),
        }))
    }

    /// The key of keyed hashes; made the first time anybody asks. Asked at the start, it also tells
    /// whether this is the right master key.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn pepper(&self) -> Result<&Pepper, VaultError> {
        self.0.pepper.get_or_try_init(|| self.load_pepper()).await
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// Whether nobody has ever used it.
    ///
    /// # Errors
    /// [`VaultError::Database`].
    pub async fn is_new(&self) -> Result<bool, VaultError> {
        let used = sqlx::query_scalar("select exists (select from vault.peppers)");
        let used: bool = used.fetch_one(&self.0.pool).await?;
        Ok(!used)
    }

    /// The key to seal new content of `stream` with, made if there is none. `fresh` says that the
    /// stream is new, which saves looking for one.
    ///
    /// # Errors
    /// [`VaultError::Erased`] when the stream's or the subject's key was destroyed.
    pub(crate) async fn key_for(
        &self,
        stream: &StreamId,
        subject: Uuid,
        fresh: bool,
    ) -> Result<Key, VaultError> {
        let known = match self.0.streams.get(stream) {
            Some(known) => Some(known),
            None if fresh => None,
            None => self
                .find(std::slice::from_ref(stream))
                .await?
                .remove(stream),
        };
        match known {
            Some(known) => known.key.ok_or(VaultError::Erased),
            None => self.make(stream, subject).await,
        }
    }

    /// Opens the private fields of `recorded`, for reading it as an event; where the key is gone
    /// they are [`Private::Erased`].
    ///
    /// # Errors
    /// [`VaultError`], never [`VaultError::Erased`].
    pub async fn open(&self, recorded: &mut Recorded) -> Result<(), VaultError> {
        self.open_as(recorded, As::Private).await
    }

    /// The payload of `recorded` as its owner is shown it: the content in place of what was sealed,
    /// or `[erased]`.
    ///
    /// # Errors
    /// [`VaultError`], never [`VaultError::Erased`].
    pub async fn shown(&self, recorded: &Recorded) -> Result<Box<RawValue>, VaultError> {
        let mut recorded = recorded.clone();
        self.open_as(&mut recorded, As::Shown).await?;
        Ok(recorded.payload)
    }

    async fn open_as(&self, recorded: &mut Recorded, form: As) -> Result<(), VaultError> {
        if !recorded.payload.get().contains(r#"{"sealed":"#) {
            return Ok(());
        }
        let stream = StreamId::of(recorded);
        let key = self.reading_key(&stream).await?;
        let mut payload: Value =
            serde_json::from_str(recorded.payload.get()).map_err(|_| NotOpened)?;
        seal::open(
            &mut payload,
            &recorded.event_type,
            &stream,
            key.as_ref(),
            form,
        )?;
        recorded.payload = serde_json::value::to_raw_value(&payload).map_err(|_| NotOpened)?;
        Ok(())
    }

    /// Opens content that a replica keeps, each piece with the stream that it was written to.
    ///
    /// # Errors
    /// [`VaultError`], never [`VaultError::Erased`].
    pub async fn open_all(
        &self,
        mut contents: Vec<(StreamId, &mut Private<String>)>,
    ) -> Result<(), VaultError> {
        contents.retain(|(_, content)| content.sealed().is_some());
        let mut streams: Vec<StreamId> =
            contents.iter().map(|(stream, _)| stream.clone()).collect();
        streams.dedup();
        let keys = self.reading_keys(&streams).await?;
        for (stream, content) in &mut contents {
            let Some(sealed) = content.sealed() else {
                continue;
            };
            let opened = match keys.get(stream).and_then(Option::as_ref) {
                None => Private::Erased,
                Some(key) => match seal::open_one(sealed, stream, key)? {
                    Value::String(text) => Private::Open(text),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Array(_)
                    | Value::Object(_) => {
                        return Err(NotOpened.into());
                    }
                },
            };
            **content = opened;
        }
        Ok(())
    }

    /// Seals one text that stands beside the log, such as a device's name.
    ///
    /// # Errors
    /// [`VaultError`].
    pub(crate) async fn seal_text(
        &self,
        stream: &StreamId,
        subject: Uuid,
        path: &str,
        text: &str,
    ) -> Result<Private<String>, VaultError> {
        let key = self.key_for(stream, subject, false).await?;
        Ok(Private::Sealed(seal::seal_one(
            &text.into(),
            path,
            stream,
            &key,
        )))
    }

    /// Forgets what it knows of `stream`'s key: it may have been destroyed.
    pub fn forget(&self, stream: &StreamId) {
        self.0.streams.invalidate(stream);
    }

    /// Forgets every key of `subject`.
    pub fn forget_subject(&self, subject: Uuid) {
        self.0.subjects.invalidate(&subject);
        // Few keys are a subject's and many are kept, but people are seldom erased.
        let theirs = self
            .0
            .streams
            .iter()
            .filter(|(_, key)| key.subject == subject);
        for (stream, _) in theirs {
            self.0.streams.invalidate(stream.as_ref());
        }
    }

    async fn reading_key(&self, stream: &StreamId) -> Result<Option<Key>, VaultError> {
        let mut keys = self.reading_keys(std::slice::from_ref(stream)).await?;
        Ok(keys.remove(stream).flatten())
    }

    /// The keys of `streams`; none for a stream whose key was destroyed, or is not there at all.
    async fn reading_keys(
        &self,
        streams: &[StreamId],
    ) -> Result<HashMap<StreamId, Option<Key>>, VaultError> {
        let mut keys = HashMap::with_capacity(streams.len());
        let mut unknown = Vec::new();
        for stream in streams {
            match self.0.streams.get(stream) {
                Some(known) => drop(keys.insert(stream.clone(), known.key)),
                None => unknown.push(stream.clone()),
            }
        }
        if !unknown.is_empty() {
            let found = self.find(&unknown).await?;
            keys.extend(found.into_iter().map(|(stream, known)| (stream, known.key)));
        }
        Ok(keys)
    }
}
