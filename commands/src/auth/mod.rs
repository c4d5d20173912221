//! Who is asking: passwords and sessions. They change and disappear, so they are rows, not events;
//! what happens with them is told to the log ([`crate::access`]).

mod attempt;
mod credential;
mod identity;
mod memory;
mod password;
mod proof;
mod revocation;
mod session;
mod throttle;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fido_domain::access::{Denial, StrangerRefusal};
use fido_domain::account::{Account, AccountEvent, DisplayName, Role};
use fido_domain::recorded::Undecodable;
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Evolve, Recorded};
use sqlx::PgPool;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::access::{Recorder, Refusal};
use crate::account::{AccountCommand, AccountRefusal, EMAIL_CLAIM};
use crate::ambient;
use crate::append::Claim;
use crate::store::{CommandContext, Committed, EventStore, ExecuteError, Origin};
use crate::vault::{StreamId, Vault, VaultError};

use memory::Memory;
use revocation::Watchers;

pub use attempt::{Attempt, BrowserSecret};
pub use credential::{RESET_LIFETIME, ResetMail, ResetToken};
pub use identity::{Entered, Vouched};
pub use password::{Password, PasswordError};
pub use proof::FRESH;
pub use revocation::{Revocation, Watch};
pub use session::{Device, OpenedSession, Session, SessionToken};

/// Revocations that may wait to be told to other processes.
const UNTOLD: usize = 4_096;

/// Why somebody did not get in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Another account has this address.
    #[error("an account with this email address exists already")]
    EmailTaken,
    /// Unknown address or wrong password; which of the two is nobody's business.
    #[error("the email address or the password is wrong")]
    WrongCredentials,
    /// There were too many attempts; whether this one was right nobody has looked.
    #[error("too many attempts to sign in")]
    Throttled {
        /// When the next one is looked at.
        retry_after: Duration,
    },
    /// More passwords wait to be hashed than there is room for.
    #[error("too many passwords wait to be checked")]
    Busy,
    /// What should have come from a mail did not, or was used, or is too old.
    #[error("this token is not good, or no longer")]
    InvalidToken,
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
    /// What happened could not be told to the log.
    #[error("the log could not be told")]
    Access(#[source] Box<ExecuteError<Infallible>>),
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

impl From<ExecuteError<Infallible>> for AuthError {
    fn from(error: ExecuteError<Infallible>) -> Self {
        Self::Access(Box::new(error))
    }
}

/// Registration, sign-in and sessions. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    store: EventStore,
    hasher: password::Hasher,
    access: Recorder,
    memory: Arc<Memory>,
    watchers: Watchers,
    revocations: broadcast::Sender<Revocation>,
}

impl Auth {
    /// Sign-in data beside the log of `store`, whose vault hides which addresses are taken.
    pub fn new(store: EventStore) -> Self {
        Self {
            access: Recorder::new(store.clone()),
            store,
            hasher: password::Hasher::new(),
            memory: Arc::new(Memory::new()),
            watchers: Watchers::default(),
            revocations: broadcast::Sender::new(UNTOLD),
        }
    }

    /// Where the door tells what happened.
    pub fn access(&self) -> &Recorder {
        &self.access
    }

    /// What this process revokes from now on, to be told to the others.
    pub fn revocations(&self) -> broadcast::Receiver<Revocation> {
        self.revocations.subscribe()
    }

    /// Another process has revoked something, or the log says so.
    pub fn heard(&self, revocation: Revocation) {
        self.memory.forget(revocation);
        self.watchers.tell(revocation);
    }

    /// Sessions and roles may be remembered: every revocation until now was heard, and will be until
    /// `until`. Without such a promise the database is asked every time.
    pub fn trust_memory_until(&self, until: Instant) {
        self.memory.trust_until(until);
    }

    /// Revocations may pass unheard from now on.
    pub fn distrust_memory(&self) {
        self.memory.distrust();
    }

    /// This process has revoked something.
    pub fn revoked(&self, revocation: Revocation) {
        self.heard(revocation);
        // Nobody listens where nothing is served.
        let _ = self.revocations.send(revocation);
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }

    fn watchers(&self) -> &Watchers {
        &self.watchers
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

    /// The account that `email` and `password` belong to. Takes as long for an unknown address, and is
    /// refused as soon: [`AuthError::Throttled`], whatever the password is.
    ///
    /// # Errors
    /// [`AuthError::WrongCredentials`] and [`AuthError::Throttled`], or what the database says.
    pub async fn check(
        &self,
        email: &EmailAddress,
        password: Password,
        origin: &Origin,
    ) -> Result<Uuid, AuthError> {
        let claim = self.claimed(email).await?;
        let found: Option<(Uuid, Option<String>)> = sqlx::query_as(
            "select k.aggregate_id::uuid, c.password_hash \
             from claims k left join auth.credentials c on c.account_id = k.aggregate_id::uuid \
             where k.kind = $1 and k.hash = $2",
        )
        .bind(EMAIL_CLAIM)
        .bind(&claim)
        .fetch_optional(self.pool())
        .await?;
        let (account_id, hash) = found.unzip();
        let address = origin.address.as_deref();
        let attempt = match self.charge_sign_in(&claim, address).await {
            Err(throttled @ AuthError::Throttled { .. }) => {
                self.denied(account_id, Denial::Throttled, address);
                return Err(throttled);
            }
            charged => charged?,
        };
        let right = self.hasher.verify(password, hash.flatten()).await?;
        match account_id.filter(|_| right) {
            Some(account_id) => {
                self.forgive(attempt).await?;
                Ok(account_id)
            }
            None => {
                self.denied(account_id, Denial::WrongPassword, address);
                Err(AuthError::WrongCredentials)
            }
        }
    }

    fn denied(&self, account_id: Option<Uuid>, reason: Denial, address: Option<&str>) {
        match (account_id, reason) {
            (Some(account_id), reason) => {
                let refusal = Refusal::SignIn(reason);
                self.access.refused(account_id, refusal, address);
            }
            (None, Denial::WrongPassword) => {
                let refusal = StrangerRefusal::UnknownAccount;
                self.access.refused_a_stranger(refusal, address);
            }
            (None, Denial::Throttled) => {
                let refusal = StrangerRefusal::Throttled;
                self.access.refused_a_stranger(refusal, address);
            }
        }
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
        let ticket = self.memory.ticket();
        if let Some(known) = ticket.and_then(|_| self.memory.account(account_id)) {
            return Ok(known.has(role));
        }
        let account = self.account(account_id).await?;
        let has = account.has(role);
        if let Some(ticket) = ticket {
            self.memory.keep_account(ticket, account_id, account);
        }
        Ok(has)
    }

    /// What the account may do now, as the log says.
    ///
    /// # Errors
    /// [`AuthError::Log`] and [`AuthError::Undecodable`].
    pub async fn roles(&self, account_id: Uuid) -> Result<Vec<Role>, AuthError> {
        Ok(self.account(account_id).await?.roles().to_vec())
    }

    async fn account(&self, account_id: Uuid) -> Result<Account, AuthError> {
        let log = crate::log::Log::new(self.pool().clone());
        let mut account = Account::default();
        for recorded in log.stream(Account::TYPE, account_id).await? {
            account.evolve(&recorded.event()?);
        }
        Ok(account)
    }
}

/// The stream of an account, with whose key what stands beside it is sealed too.
fn account_stream(account_id: Uuid) -> StreamId {
    StreamId::new(Account::TYPE, account_id)
}
