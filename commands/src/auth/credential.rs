//! Replacing a password: by whoever knows the old one, or by whoever reads the account's mail.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fido_domain::access::{Access, AccessEvent, PasswordProof, SignOutReason};
use fido_domain::account::{Account, AccountEvent};
use fido_domain::text::EmailAddress;
use fido_domain::{Actor, Evolve, Private};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::Duration;
use uuid::Uuid;

use super::{Auth, AuthError, Password, Session};
use crate::account::EMAIL_CLAIM;
use crate::ambient;
use crate::store::{CommandContext, Committed, Origin};

/// How long a token from a mail is good for.
pub const RESET_LIFETIME: Duration = Duration::hours(1);
/// What every such token begins with, so that scanners for leaked secrets recognise one.
const PREFIX: &str = "fidoreset_";

/// What is sent by mail, and good for one new password.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct ResetToken(String);

impl From<String> for ResetToken {
    fn from(token: String) -> Self {
        Self(token)
    }
}

impl JsonSchema for ResetToken {
    fn schema_name() -> Cow<'static, str> {
        "ResetToken".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password" })
    }
}

impl ResetToken {
    /// The token, for the mail alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn generate() -> Self {
        let random = URL_SAFE_NO_PAD.encode(ambient::random::<32>());
        Self(format!("{PREFIX}{random}"))
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl std::fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResetToken(…)")
    }
}

/// What to send to whom.
#[derive(Debug)]
pub struct ResetMail {
    /// The address as the account has it, not as somebody has just typed it.
    pub to: EmailAddress,
    /// What is to stand in it.
    pub token: ResetToken,
}

impl Auth {
    /// Replaces the password of whoever is signed in and knows the old one, and ends all their other
    /// sessions. `context` is the command that is recorded.
    ///
    /// # Errors
    /// [`AuthError::WrongCredentials`] and [`AuthError::Throttled`].
    pub async fn change_password(
        &self,
        who: Session,
        current: Password,
        new: Password,
        context: CommandContext,
    ) -> Result<Committed<AccessEvent>, AuthError> {
        if let Some(receipt) = &context.receipt
            && let Some(done) = self.store.replay::<Access>(receipt).await?
        {
            return Ok(done);
        }
        let old = self.confirmed(who.account_id, current).await?;
        let new = self.hasher.hash(new).await?;
        let changed = sqlx::query(
            "update auth.credentials set password_hash = $3 \
             where account_id = $1 and password_hash = $2",
        )
        .bind(who.account_id)
        .bind(old)
        .bind(new)
        .execute(self.pool())
        .await?;
        if changed.rows_affected() == 0 {
            // It has just been changed by somebody else, so it is no longer the old one.
            return Err(AuthError::WrongCredentials);
        }
        self.forget_mails(who.account_id).await?;
        let kept = Some(who.session_id);
        self.settle(who.account_id, kept, PasswordProof::OldPassword, context)
            .await
    }

    /// Checks the password of somebody who is signed in, before something that cannot be taken back.
    ///
    /// # Errors
    /// [`AuthError::WrongCredentials`] and [`AuthError::Throttled`].
    pub async fn confirm(&self, account_id: Uuid, password: Password) -> Result<(), AuthError> {
        self.confirmed(account_id, password).await.map(drop)
    }

    /// The hash of the password, if it is the account's.
    async fn confirmed(&self, account_id: Uuid, password: Password) -> Result<String, AuthError> {
        self.charge_confirmation(account_id).await?;
        let hash: Option<String> =
            sqlx::query_scalar("select password_hash from auth.credentials where account_id = $1")
                .bind(account_id)
                .fetch_optional(self.pool())
                .await?;
        let right = self.hasher.verify(password, hash.clone()).await?;
        let hash = hash.filter(|_| right).ok_or(AuthError::WrongCredentials)?;
        self.forgive_confirmation(account_id).await?;
        Ok(hash)
    }

    /// What to send to the owner of `email`, who has forgotten the password; nothing when nobody has
    /// that address, or too much was sent already. Takes its time: nobody should wait for it.
    ///
    /// # Errors
    /// What the database, the log or the vault says.
    pub async fn begin_reset(
        &self,
        email: &EmailAddress,
        origin: &Origin,
    ) -> Result<Option<ResetMail>, AuthError> {
        let claim = self.claimed(email).await?;
        match self.charge_mail(&claim, origin.address.as_deref()).await {
            Err(AuthError::Throttled { .. }) => return Ok(None),
            charged => charged?,
        }
        let Some(account_id) = self.owner_of(&claim).await? else {
            return Ok(None);
        };
        let Some(to) = self.address_of(account_id).await? else {
            return Ok(None);
        };
        let token = ResetToken::generate();
        sqlx::query(
            "insert into auth.password_resets (token_hash, account_id, expires_at) values ($1, $2, $3)",
        )
        .bind(token.hash())
        .bind(account_id)
        .bind(ambient::now() + RESET_LIFETIME)
        .execute(self.pool())
        .await?;
        let event = AccessEvent::PasswordResetRequested {};
        self.access().happened(account_id, event, origin);
        Ok(Some(ResetMail { to, token }))
    }

    /// Sets a new password for the account that `token` was sent to, once, and ends all its sessions.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`] when it is none, was used, or is too old.
    pub async fn reset_password(
        &self,
        token: &ResetToken,
        new: Password,
        origin: &Origin,
    ) -> Result<(), AuthError> {
        let (hash, now) = (token.hash(), ambient::now());
        let is_good: bool = sqlx::query_scalar(
            "select exists (select from auth.password_resets where token_hash = $1 and expires_at > $2)",
        )
        .bind(&hash)
        .bind(now)
        .fetch_one(self.pool())
        .await?;
        if !is_good {
            return Err(AuthError::InvalidToken);
        }
        // Before the token is used up: there may be no room for another hash.
        let new = self.hasher.hash(new).await?;
        let account_id: Uuid = sqlx::query_scalar(
            "with used as (delete from auth.password_resets \
                           where token_hash = $1 and expires_at > $2 returning account_id) \
             insert into auth.credentials (account_id, password_hash, created_at) \
             select account_id, $3, $2 from used \
             on conflict (account_id) do update set password_hash = excluded.password_hash \
             returning account_id",
        )
        .bind(&hash)
        .bind(now)
        .bind(new)
        .fetch_optional(self.pool())
        .await?
        .ok_or(AuthError::InvalidToken)?;
        self.forget_mails(account_id).await?;
        if let Some(claim) = self.claim_of(account_id).await? {
            self.vouch(&claim, origin.address.as_deref()).await?;
        }
        let context = origin.command(Actor::user(account_id), account_id);
        self.settle(account_id, None, PasswordProof::Mail, context)
            .await?;
        Ok(())
    }

    /// The password is another: whoever came in with the old one is out, and the log says so.
    async fn settle(
        &self,
        account_id: Uuid,
        kept: Option<Uuid>,
        proof: PasswordProof,
        context: CommandContext,
    ) -> Result<Committed<AccessEvent>, AuthError> {
        let session_ids = self.end_sessions(account_id, kept).await?;
        let reason = match proof {
            PasswordProof::OldPassword => SignOutReason::PasswordChanged,
            PasswordProof::Mail => SignOutReason::PasswordReset,
        };
        let mut events = vec![AccessEvent::PasswordChanged { proof }];
        if !session_ids.is_empty() {
            events.push(AccessEvent::SignedOut {
                session_ids,
                reason,
            });
        }
        Ok(self.access().record(account_id, events, &context).await?)
    }

    /// No token that was sent before is good any longer.
    async fn forget_mails(&self, account_id: Uuid) -> Result<(), AuthError> {
        sqlx::query("delete from auth.password_resets where account_id = $1")
            .bind(account_id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    async fn owner_of(&self, claim: &[u8]) -> Result<Option<Uuid>, AuthError> {
        let owner = sqlx::query_scalar(
            "select aggregate_id::uuid from claims where kind = $1 and hash = $2",
        )
        .bind(EMAIL_CLAIM)
        .bind(claim);
        Ok(owner.fetch_optional(self.pool()).await?)
    }

    async fn claim_of(&self, account_id: Uuid) -> Result<Option<Vec<u8>>, AuthError> {
        let claim = sqlx::query_scalar(
            "select hash from claims where kind = $1 and aggregate_type = $2 and aggregate_id = $3",
        )
        .bind(EMAIL_CLAIM)
        .bind(Account::TYPE)
        .bind(account_id.to_string());
        Ok(claim.fetch_optional(self.pool()).await?)
    }

    /// Where to write to, as the account's own events say.
    async fn address_of(&self, account_id: Uuid) -> Result<Option<EmailAddress>, AuthError> {
        for recorded in self.account_events(account_id).await? {
            if let AccountEvent::AccountRegistered {
                email: Private::Open(email),
                ..
            } = recorded.event()?
            {
                return Ok(Some(email));
            }
        }
        Ok(None)
    }
}
