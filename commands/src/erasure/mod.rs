//! Erasing what belongs to a person, or one conversation: first an event, then the key.
//!
//! The log keeps every byte, and none of it can be read any more, here, on replicas and in backups.
//! The steps are taken in an order in which any of them may be the last before a crash:
//!
//! 1. The intent is written down in the vault; at the next start what is open is completed.
//! 2. The event is recorded, so that everybody hears of it and the log says who asked and when.
//! 3. The [`Register`], a file outside all databases, takes it down. A backup that is restored brings
//!    old keys back; at every start those in the register are destroyed again before anything is served.
//! 4. The key is destroyed, and what stands beside the log (credentials, sessions) is deleted.

mod register;

use fido_domain::account::Account;
use fido_domain::conversation::Conversation;
use fido_domain::{Actor, Evolve, Position};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::account::{AccountCommand, AccountRefusal};
use crate::append::Claim;
use crate::conversation::{ConversationCommand, ConversationRefusal};
use crate::vault::{StreamId, Vault, VaultError};
use crate::{CommandContext, EventStore, ExecuteError, ambient};

pub use register::{Entry, Erased, Register, RegisterError};

/// The stored name of the event after which an account's content is gone.
pub const ACCOUNT_ERASED: &str = "account_erased";
/// The stored name of the event after which a conversation's content is gone.
pub const CONVERSATION_ERASED: &str = "conversation_erased";

/// Why something was not erased, or not wholly yet.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// There is no such thing, or it is somebody else's.
    #[error("there is nothing of that kind to erase")]
    NotFound,
    /// Without a register a restored backup would bring the content back.
    #[error("nothing can be erased without a register of erasures (FIDO_ERASURE_REGISTER)")]
    NoRegister,
    /// The register could not be written or read. The erasure is completed at the next start.
    #[error("the register of erasures cannot be used")]
    Register(#[from] RegisterError),
    /// The vault could not be asked. If the event was recorded, the next start completes the erasure.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The event store could not be asked.
    #[error("the event store could not be asked")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for EraseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Vault(error.into())
    }
}

/// Proof that something was erased, for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureReceipt {
    /// Where the log says so.
    pub position: Position,
}

/// Erases. Cheap to clone.
#[derive(Clone)]
pub struct Eraser {
    store: EventStore,
    register: Option<Register>,
}

impl Eraser {
    /// Erases what is in `store`; without a register it refuses to.
    pub fn new(store: EventStore, register: Option<Register>) -> Self {
        Self { store, register }
    }

    /// Erases everything of an account: all its streams become unreadable, it is signed out
    /// everywhere, and its address is free again.
    ///
    /// # Errors
    /// [`EraseError`].
    pub async fn erase_account(
        &self,
        account_id: Uuid,
        context: CommandContext,
    ) -> Result<ErasureReceipt, EraseError> {
        let stream = StreamId::new(Account::TYPE, account_id);
        self.erase(Erased::Subject(account_id), &stream, context)
            .await
    }

    /// Erases one conversation of `account_id`.
    ///
    /// # Errors
    /// [`EraseError`].
    pub async fn erase_conversation(
        &self,
        conversation_id: Uuid,
        context: CommandContext,
    ) -> Result<ErasureReceipt, EraseError> {
        let stream = StreamId::new(Conversation::TYPE, conversation_id);
        self.erase(Erased::Stream(stream.clone()), &stream, context)
            .await
    }

    /// Completes what a crash has interrupted; answers with how many erasures that were.
    ///
    /// # Errors
    /// [`EraseError`]; what was completed until then stays so.
    pub async fn resume(&self) -> Result<usize, EraseError> {
        let open = self.vault().open_erasures().await?;
        for intent in &open {
            let context = CommandContext::new(Actor::system("erasure"), intent.subject);
            match self.complete(intent, context).await {
                Ok(_) | Err(EraseError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(open.len())
    }

    async fn erase(
        &self,
        erased: Erased,
        stream: &StreamId,
        context: CommandContext,
    ) -> Result<ErasureReceipt, EraseError> {
        if self.register.is_none() {
            return Err(EraseError::NoRegister);
        }
        let intent = Intent {
            erasure_id: ambient::new_id(),
            erased,
            stream: stream.clone(),
            subject: context.subject,
        };
        self.vault().intend(&intent, &context.actor).await?;
        self.complete(&intent, context).await
    }

    async fn complete(
        &self,
        intent: &Intent,
        context: CommandContext,
    ) -> Result<ErasureReceipt, EraseError> {
        let register = self.register.as_ref().ok_or(EraseError::NoRegister)?;
        if let Erased::Subject(account_id) = intent.erased {
            // Before the event, at which every process forgets the sessions that it remembers.
            sign_out(self.store.pool(), account_id).await?;
        }
        let position = match self.record(intent, context).await {
            Err(EraseError::NotFound) => {
                self.vault().settle(intent, None).await?;
                return Err(EraseError::NotFound);
            }
            recorded => recorded?,
        };
        register
            .enter(Entry {
                erased: intent.erased.clone(),
                position,
                erased_at: ambient::now(),
            })
            .await?;
        self.vault().destroy(&intent.erased).await?;
        if let Erased::Subject(account_id) = intent.erased {
            sign_out_for_good(self.store.pool(), account_id).await?;
        }
        self.vault().settle(intent, Some(position)).await?;
        tracing::info!(
            stream.kind = %intent.stream.aggregate_type,
            stream.id = %intent.stream.id,
            position,
            "erased: the key is destroyed"
        );
        Ok(ErasureReceipt { position })
    }

    /// The event; the position of the one that is there already when it was recorded before.
    async fn record(
        &self,
        intent: &Intent,
        mut context: CommandContext,
    ) -> Result<Position, EraseError> {
        let id = intent.stream.id;
        match intent.erased {
            Erased::Subject(_) => {
                context.claims = claims_of(self.store.pool(), id).await?;
                let command = AccountCommand::EraseAccount;
                let done = self.store.execute::<Account>(id, command, &context).await;
                done.map(|done| done.position).map_err(|error| {
                    let gone = matches!(error, ExecuteError::Refused(AccountRefusal::NotFound));
                    refused(gone, error)
                })
            }
            Erased::Stream(_) => {
                let account_id = intent.subject;
                let command = ConversationCommand::EraseConversation { account_id };
                let done = self
                    .store
                    .execute::<Conversation>(id, command, &context)
                    .await;
                done.map(|done| done.position).map_err(|error| {
                    let gone =
                        matches!(error, ExecuteError::Refused(ConversationRefusal::NotFound));
                    refused(gone, error)
                })
            }
        }
    }

    fn vault(&self) -> &Vault {
        self.store.vault()
    }
}

fn refused<R>(not_found: bool, error: ExecuteError<R>) -> EraseError
where
    R: std::error::Error + Send + Sync + 'static,
{
    if not_found {
        EraseError::NotFound
    } else {
        EraseError::Store(error.into())
    }
}

/// What was asked to be erased.
pub(crate) struct Intent {
    erasure_id: Uuid,
    erased: Erased,
    /// The stream that says so.
    stream: StreamId,
    subject: Uuid,
}

/// The claims that the account holds, to be given back.
async fn claims_of(pool: &PgPool, account_id: Uuid) -> Result<Vec<Claim>, sqlx::Error> {
    let rows = sqlx::query(
        "select kind, hash from claims where aggregate_type = $1 and aggregate_id = $2",
    )
    .bind(Account::TYPE)
    .bind(account_id.to_string())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Claim {
                kind: row.try_get("kind")?,
                hash: row.try_get("hash")?,
                take: false,
            })
        })
        .collect()
}

async fn sign_out(pool: &PgPool, account_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from auth.sessions where account_id = $1")
        .bind(account_id)
        .execute(pool)
        .await?;
    Ok(())
}

async fn sign_out_for_good(pool: &PgPool, account_id: Uuid) -> Result<(), sqlx::Error> {
    for table in [
        "sessions",
        "password_resets",
        "oidc_attempts",
        "credentials",
    ] {
        sqlx::query(&format!("delete from auth.{table} where account_id = $1"))
            .bind(account_id)
            .execute(pool)
            .await?;
    }
    Ok(())
}

impl Vault {
    async fn intend(&self, intent: &Intent, by: &Actor) -> Result<(), VaultError> {
        sqlx::query(
            "insert into vault.erasures (erasure_id, aggregate_type, aggregate_id, subject, whole_subject, requested_by) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(intent.erasure_id)
        .bind(intent.stream.aggregate_type.as_ref())
        .bind(intent.stream.id)
        .bind(intent.subject)
        .bind(matches!(intent.erased, Erased::Subject(_)))
        .bind(&by.role)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    async fn open_erasures(&self) -> Result<Vec<Intent>, VaultError> {
        let rows = sqlx::query(
            "select erasure_id, aggregate_type, aggregate_id, subject, whole_subject \
             from vault.erasures where completed_at is null order by requested_at",
        )
        .fetch_all(self.pool())
        .await?;
        let mut open = Vec::with_capacity(rows.len());
        for row in rows {
            let kind: String = row.try_get("aggregate_type")?;
            let stream = StreamId::new(kind, row.try_get("aggregate_id")?);
            let subject = row.try_get("subject")?;
            let whole_subject: bool = row.try_get("whole_subject")?;
            open.push(Intent {
                erasure_id: row.try_get("erasure_id")?,
                erased: if whole_subject {
                    Erased::Subject(subject)
                } else {
                    Erased::Stream(stream.clone())
                },
                stream,
                subject,
            });
        }
        Ok(open)
    }

    async fn settle(&self, intent: &Intent, position: Option<Position>) -> Result<(), VaultError> {
        sqlx::query(
            "update vault.erasures set position = $2, completed_at = clock_timestamp() where erasure_id = $1",
        )
        .bind(intent.erasure_id)
        .bind(position)
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
