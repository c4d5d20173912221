//! Who is asking: passwords and sessions. They change and disappear, so they are rows, not events.

mod attempt;
mod identity;
mod password;
mod proof;
mod session;

use fido_domain::account::{Account, AccountEvent, DisplayName, Role};
use fido_domain::recorded::Undecodable;
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Evolve, Recorded};
use sqlx::PgPool;
use uuid::Uuid;

use crate::account::{AccountCommand, AccountRefusal, EMAIL_CLAIM};
use crate::ambient;
use crate::append::Claim;
use crate::store::{CommandContext, Committed, EventStore, ExecuteError, Origin};
use crate::vault::{StreamId, Vault, VaultError};

pub use attempt::{Attempt, BrowserSecret};
pub use identity::{Entered, Vouched};
pub use password::{Password, PasswordError};
pub use proof::FRESH;
pub use session::{Device, OpenedSession, Session, SessionToken};

/// Why somebody did not get in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Another account has this address.
    #[error("an account with this email address exists already")]
    EmailTaken,
    /// Unknown address or wrong password; which of the two is nobody's business.
    #[error("the email address or the password is wrong")]
    WrongCredentials,
    /// An account that has a password is to be proved with it.
    #[error("the password is needed")]
    PasswordNeeded,
    /// Without a password only a sign-in of a moment ago proves who somebody is.
    #[error("the sign-in was too long ago")]
    SignInNotFresh,
    /// There is an account with the address that a provider vouches for, and it was opened otherwise.
    #[error("an account with this email address exists already, without this identity")]
    LinkRequired,
    /// The identity belongs to another account.
    #[error("another account is signed in to with this identity")]
    IdentityTaken,
    /// The provider does not say that the address is the person's.
    #[error("the provider has not verified an email address")]
    EmailUnverified,
    /// The event store refused for a reason that has nothing to do with the person.
    #[error("the account could not be opened")]
    Store(#[source] Box<ExecuteError<AccountRefusal>>),
    /// The database could not be asked.
    #[error("sign-in data cannot be reached")]
    Database(#[from] sqlx::Error),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),
    /// An event of the account is not one that this build reads.
    #[error("the account's events cannot be read")]
    Undecodable(#[from] Undecodable),
    /// A key could not be had.
    #[error("the keys of sign-in data cannot be used")]
    Vault(#[from] VaultError),
    /// A password could not be hashed or a stored hash not read.
    #[error("the password could not be checked")]
    Hash(#[source] argon2::password_hash::Error),
}

/// Registration, sign-in and sessions. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    store: EventStore,
    hasher: password::Hasher,
}

impl Auth {
    /// Sign-in data beside the log of `store`, whose vault hides which addresses are taken.
    pub fn new(store: EventStore) -> Self {
        Self {
            store,
            hasher: password::Hasher::new(),
        }
    }

    fn pool(&self) -> &PgPool {
        self.store.pool()
    }

    fn vault(&self) -> &Vault {
        self.store.vault()
    }

    /// Under which hash `email` is claimed.
    async fn claimed(&self, email: &EmailAddress) -> Result<Vec<u8>, VaultError> {
        let pepper = self.vault().pepper().await?;
        let email = email.canonical();
        Ok(pepper.hash("claim", &[EMAIL_CLAIM.as_bytes(), email.as_bytes()]))
    }

    /// Opens an account. The credential is written before the event, so that whoever sees the
    /// account can sign in; a credential that gets no account is taken away again.
    ///
    /// # Errors
    /// [`AuthError::EmailTaken`], or what the store says.
    pub async fn register(
        &self,
        email: EmailAddress,
        password: Password,
        display_name: DisplayName,
        origin: &Origin,
    ) -> Result<(Uuid, Committed<AccountEvent>), AuthError> {
        let account_id = ambient::new_id();
        let hash = self.hasher.hash(password).await?;
        sqlx::query(
            "insert into auth.credentials (account_id, password_hash, created_at) values ($1, $2, $3)",
        )
        .bind(account_id)
        .bind(hash)
        .bind(ambient::now())
        .execute(self.pool())
        .await?;

        let context = CommandContext {
            claims: vec![Claim {
                kind: EMAIL_CLAIM.to_owned(),
                hash: self.claimed(&email).await?,
                take: true,
            }],
            ..origin.command(Actor::user(account_id), account_id)
        };
        let command = AccountCommand::RegisterAccount {
            email,
            display_name,
        };
        match self
            .store
            .execute::<Account>(account_id, command, &context)
            .await
        {
            Ok(committed) => Ok((account_id, committed)),
            Err(ExecuteError::ClaimTaken { .. }) => {
                sqlx::query("delete from auth.credentials where account_id = $1")
                    .bind(account_id)
                    .execute(self.pool())
                    .await?;
                Err(AuthError::EmailTaken)
            }
            Err(error) => Err(AuthError::Store(Box::new(error))),
        }
    }

    /// The account that `email` and `password` belong to. Takes as long for an unknown address.
    ///
    /// # Errors
    /// [`AuthError::WrongCredentials`], or what the database says.
    pub async fn check(&self, email: &EmailAddress, password: Password) -> Result<Uuid, AuthError> {
        let found: Option<(Uuid, String)> = sqlx::query_as(
            "select c.account_id, c.password_hash \
             from claims k join auth.credentials c on c.account_id = k.aggregate_id::uuid \
             where k.kind = $1 and k.hash = $2",
        )
        .bind(EMAIL_CLAIM)
        .bind(self.claimed(email).await?)
        .fetch_optional(self.pool())
        .await?;
        let (account_id, hash) = match found {
            Some((account_id, hash)) => (Some(account_id), Some(hash)),
            None => (None, None),
        };
        let right = self.hasher.verify(password, hash).await?;
        account_id
            .filter(|_| right)
            .ok_or(AuthError::WrongCredentials)
    }

    /// The account's events with their content opened, for the answer to a sign-in.
    ///
    /// # Errors
    /// [`AuthError::Log`] and [`AuthError::Vault`].
    pub async fn account_events(&self, account_id: Uuid) -> Result<Vec<Recorded>, AuthError> {
        let log = crate::log::Log::new(self.pool().clone());
        let mut events = log.stream(Account::TYPE, account_id).await?;
        for recorded in &mut events {
            self.vault().open(recorded).await?;
        }
        Ok(events)
    }

    /// Whether the account has `role` now, as the log says: no read model is asked, so a role that was
    /// revoked is gone at once.
    ///
    /// # Errors
    /// [`AuthError::Log`] and [`AuthError::Undecodable`].
    pub async fn has_role(&self, account_id: Uuid, role: Role) -> Result<bool, AuthError> {
        let log = crate::log::Log::new(self.pool().clone());
        let mut account = Account::default();
        for recorded in log.stream(Account::TYPE, account_id).await? {
            account.evolve(&recorded.event()?);
        }
        Ok(account.has(role))
    }
}

/// The stream of an account, with whose key what stands beside it is sealed too.
fn account_stream(account_id: Uuid) -> StreamId {
    StreamId::new(Account::TYPE, account_id)
}
