//! Everything about a person, for them to take with them: one JSON document, content opened, read
//! from the log and written piece by piece.
//!
//! One stream is held at a time, as by a command on it, and the reader sets the pace.

mod streams;
mod writer;

use fido_domain::account::{Account, AccountRecord};
use fido_domain::conversation::{Conversation, Transcript};
use fido_domain::plan::{Plan, PlanDocument};
use fido_domain::recorded::Undecodable;
use fido_domain::{Evolve, FullFold, Private, Recorded};
use futures::Stream;
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::auth::{Auth, AuthError, Device};
use crate::log::{Log, LogError};
use crate::vault::{StreamId, Vault, VaultError};
use crate::{EventStore, ambient};
use streams::Streams;
use writer::Writer;

/// Pieces that may wait for the reader.
const AHEAD: usize = 4;

/// The document broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The event store could not be asked.
    #[error("the event store cannot be read")]
    Database(#[from] sqlx::Error),
    /// Sign-in data could not be read.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A key could not be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An event is not one that this build reads.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    /// Something could not be written as JSON.
    #[error("something cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The reader has gone.
    #[error("nobody reads any more")]
    Abandoned,
}

/// Writes down everything about `account_id`, up to where the log is now. What comes is the document
/// in pieces, in order; after an error nothing comes, and the document is not whole.
pub fn export(
    store: EventStore,
    auth: Auth,
    account_id: Uuid,
) -> impl Stream<Item = Result<String, ExportError>> + Send {
    let (pieces, mut read) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let export = Export {
            log: Log::new(store.pool().clone()),
            store,
            auth,
            account_id,
        };
        let written = export.write(Writer::new(pieces.clone())).await;
        if let Err(error) = written {
            // Without a reader there is nobody to tell.
            let _ = pieces.send(Err(error)).await;
        }
    });
    futures::stream::poll_fn(move |context| read.poll_recv(context))
}

struct Export {
    log: Log,
    store: EventStore,
    auth: Auth,
    account_id: Uuid,
}

/// The whole of one stream, under its id.
#[derive(Serialize)]
struct Whole<F> {
    id: Uuid,
    #[serde(flatten)]
    whole: F,
}

/// A device, as its owner is shown it.
#[derive(Serialize)]
struct SignedInOn {
    id: Uuid,
    user_agent: Private<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// An event of a stream that has no document of its own.
#[derive(Serialize)]
struct Happened {
    position: i64,
    aggregate_type: String,
    aggregate_id: Uuid,
    sequence: i64,
    event_type: String,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    payload: Box<RawValue>,
}

impl Export {
    async fn write(&self, mut out: Writer) -> Result<(), ExportError> {
        let head = self.log.head().await?;
        out.begin().await?;
        let now = ambient::now();
        let now = now.format(&time::format_description::well_known::Rfc3339);
        out.member("exported_at", &now.unwrap_or_default()).await?;
        out.member("position", &head).await?;

        let account: AccountRecord = self.fold(Account::TYPE, self.account_id, head).await?;
        let id = self.account_id;
        let account = Whole { id, whole: account };
        out.member("account", &account).await?;

        out.begin_list("sessions").await?;
        for device in self.auth.devices(self.account_id).await? {
            out.item(&SignedInOn::from(device)).await?;
        }
        out.end_list().await?;

        self.documents::<Transcript>("conversations", Conversation::TYPE, head, &mut out)
            .await?;
        self.documents::<PlanDocument>("plans", Plan::TYPE, head, &mut out)
            .await?;
        self.others(head, &mut out).await?;
        out.end().await
    }

    /// All streams of one kind, each as its document.
    async fn documents<F>(
        &self,
        name: &str,
        aggregate_type: &'static str,
        head: i64,
        out: &mut Writer,
    ) -> Result<(), ExportError>
    where
        F: FullFold + Serialize + Send + Sync,
    {
        out.begin_list(name).await?;
        let mut streams = Streams::of_kind(self.account_id, aggregate_type, head);
        while let Some(stream) = streams.next(self.store.pool()).await? {
            let whole: F = self.fold(aggregate_type, stream.id, head).await?;
            out.item(&Whole {
                id: stream.id,
                whole,
            })
            .await?;
        }
        out.end_list().await
    }

    /// What happened in streams of every other kind, event by event: nothing is left out because
    /// nobody thought of it here.
    async fn others(&self, head: i64, out: &mut Writer) -> Result<(), ExportError> {
        out.begin_list("other_events").await?;
        let known = [Account::TYPE, Conversation::TYPE, Plan::TYPE];
        let mut streams = Streams::of_other_kinds(self.account_id, &known, head);
        while let Some(stream) = streams.next(self.store.pool()).await? {
            let StreamId { aggregate_type, id } = stream;
            for recorded in self.log.stream(&aggregate_type, id).await? {
                if recorded.position <= head {
                    let payload = self.vault().shown(&recorded).await?;
                    out.item(&Happened::new(recorded, payload)).await?;
                }
            }
        }
        out.end_list().await
    }

    /// The whole of a stream up to `head`, opened.
    async fn fold<F: FullFold>(
        &self,
        aggregate_type: &str,
        id: Uuid,
        head: i64,
    ) -> Result<F, ExportError> {
        let mut whole = F::default();
        for mut recorded in self.log.stream(aggregate_type, id).await? {
            if recorded.position > head {
                break;
            }
            self.vault().open(&mut recorded).await?;
            whole.evolve(&recorded.event()?, recorded.stamp());
        }
        Ok(whole)
    }

    fn vault(&self) -> &Vault {
        self.store.vault()
    }
}

impl From<Device> for SignedInOn {
    fn from(device: Device) -> Self {
        Self {
            id: device.session_id,
            user_agent: device.user_agent,
            created_at: device.created_at,
            expires_at: device.expires_at,
        }
    }
}

impl Happened {
    fn new(recorded: Recorded, payload: Box<RawValue>) -> Self {
        Self {
            position: recorded.position,
            aggregate_type: recorded.aggregate_type,
            aggregate_id: recorded.aggregate_id,
            sequence: recorded.sequence,
            event_type: recorded.event_type,
            recorded_at: recorded.recorded_at,
            payload,
        }
    }
}
