//! Whose account an identity belongs to that another provider vouches for:
//! `docs/decisions/0015-linking-is-asked-for.md`.

use fido_domain::account::{Account, AccountEvent, DisplayName};
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Position};
use uuid::Uuid;

use super::{Auth, AuthError};
use crate::account::{AccountCommand, AccountRefusal, EMAIL_CLAIM, IDENTITY_CLAIM, ProvenIdentity};
use crate::ambient;
use crate::append::Claim;
use crate::store::{CommandContext, Committed, ExecuteError, Origin};
use crate::vault::VaultError;

/// What a provider says of a person who has just signed in there.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// Who they are there.
    pub identity: ProvenIdentity,
    /// Their address, when the provider has made sure that it is theirs.
    pub verified_email: Option<EmailAddress>,
    /// What to call them.
    pub display_name: Option<DisplayName>,
}

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entered {
    /// The account.
    pub account_id: Uuid,
    /// Where it was opened, if it is new.
    pub registered_at: Option<Position>,
}

impl Auth {
    /// The account of the person whom a provider vouches for; a new one when they have none. An
    /// account with their address but without this identity is never entered: whoever opened it may
    /// be somebody else.
    ///
    /// # Errors
    /// [`AuthError::LinkRequired`], [`AuthError::EmailUnverified`], or what the store says.
    pub async fn enter(&self, vouched: Vouched, origin: &Origin) -> Result<Entered, AuthError> {
        // Twice, because between looking and registering the same person may have registered.
        for _ in 0..2 {
            if let Some(account_id) = self.account_of(&vouched.identity).await? {
                return Ok(Entered {
                    account_id,
                    registered_at: None,
                });
            }
            match self.register_with(&vouched, origin).await {
                Err(AuthError::IdentityTaken) => {}
                entered => return entered,
            }
        }
        Err(AuthError::IdentityTaken)
    }

    /// Lets the person of `context` sign in with `identity` from now on.
    ///
    /// # Errors
    /// [`AuthError::IdentityTaken`] when it belongs to another account, or what the store says.
    pub async fn link(
        &self,
        account_id: Uuid,
        identity: ProvenIdentity,
        origin: &Origin,
    ) -> Result<Committed<AccountEvent>, AuthError> {
        let context = CommandContext {
            claims: vec![self.identity_claim(&identity).await?],
            ..origin.command(Actor::user(account_id), account_id)
        };
        let command = AccountCommand::LinkIdentity { identity };
        let linked = self.store.execute::<Account>(account_id, command, &context);
        linked.await.map_err(claimed)
    }

    async fn register_with(
        &self,
        vouched: &Vouched,
        origin: &Origin,
    ) -> Result<Entered, AuthError> {
        let email = vouched.verified_email.clone();
        let email = email.ok_or(AuthError::EmailUnverified)?;
        let account_id = ambient::new_id();
        let context = CommandContext {
            claims: vec![
                Claim {
                    kind: EMAIL_CLAIM.to_owned(),
                    hash: self.claimed(&email).await?,
                    take: true,
                },
                self.identity_claim(&vouched.identity).await?,
            ],
            ..origin.command(Actor::user(account_id), account_id)
        };
        let command = AccountCommand::RegisterWithIdentity {
            display_name: name_of(vouched.display_name.as_ref(), &email)?,
            email,
            identity: vouched.identity.clone(),
        };
        let registered = self.store.execute::<Account>(account_id, command, &context);
        let committed = registered.await.map_err(claimed)?;
        Ok(Entered {
            account_id,
            registered_at: Some(committed.position),
        })
    }

    async fn account_of(&self, identity: &ProvenIdentity) -> Result<Option<Uuid>, AuthError> {
        let account_id: Option<Uuid> = sqlx::query_scalar(
            "select aggregate_id::uuid from claims where kind = $1 and hash = $2",
        )
        .bind(IDENTITY_CLAIM)
        .bind(self.hash_of(identity).await?)
        .fetch_optional(self.pool())
        .await?;
        Ok(account_id)
    }

    async fn identity_claim(&self, identity: &ProvenIdentity) -> Result<Claim, VaultError> {
        Ok(Claim {
            kind: IDENTITY_CLAIM.to_owned(),
            hash: self.hash_of(identity).await?,
            take: true,
        })
    }

    /// The issuer tells providers apart, whatever an operator calls them.
    async fn hash_of(&self, identity: &ProvenIdentity) -> Result<Vec<u8>, VaultError> {
        let (issuer, subject) = (identity.issuer.as_bytes(), identity.subject.as_bytes());
        let pepper = self.vault().pepper().await?;
        Ok(pepper.hash("claim", &[IDENTITY_CLAIM.as_bytes(), issuer, subject]))
    }
}

/// What a taken claim means to the person.
fn claimed(error: ExecuteError<AccountRefusal>) -> AuthError {
    match &error {
        ExecuteError::ClaimTaken { kind } if kind == EMAIL_CLAIM => AuthError::LinkRequired,
        ExecuteError::ClaimTaken { .. } => AuthError::IdentityTaken,
        ExecuteError::Refused(_)
        | ExecuteError::KeyReused
        | ExecuteError::Contended { .. }
        | ExecuteError::Overloaded
        | ExecuteError::Erased { .. }
        | ExecuteError::Diverged { .. }
        | ExecuteError::Unavailable(_)
        | ExecuteError::Corrupt { .. } => AuthError::Store(Box::new(error)),
    }
}

/// What the provider calls them, or what stands before the `@` of their address.
fn name_of(given: Option<&DisplayName>, email: &EmailAddress) -> Result<DisplayName, AuthError> {
    if let Some(name) = given {
        return Ok(name.clone());
    }
    let local = email.as_str().split('@').next().unwrap_or_default();
    let local: String = local.chars().take(100).collect();
    DisplayName::parse(local).map_err(|_| AuthError::EmailUnverified)
}
