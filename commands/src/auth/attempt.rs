//! Attempts to sign in through another provider: from the moment a browser is sent there until it
//! comes back, on whichever instance.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fido_domain::account::ProviderName;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use sqlx::Row;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Auth, AuthError};
use crate::ambient;

/// How long a person may take at the provider.
const PATIENCE: Duration = Duration::minutes(10);
/// Attempts that nobody came back from, deleted with each new one.
const SWEEP: i64 = 100;

/// What a browser keeps while it is away: 32 bytes, from which everything follows that must be its
/// own. Nobody else has it, so an answer of the provider that is brought by another browser is of no
/// use there, and what the database keeps of the attempt is of no use at all.
#[derive(Clone)]
pub struct BrowserSecret(String);

impl BrowserSecret {
    /// A new one.
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(ambient::random::<32>()))
    }

    /// Whatever a browser sent.
    pub fn presented(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret, for the browser.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the provider sends back with the browser (RFC 6749 10.12).
    pub fn state(&self) -> String {
        self.derived("state")
    }

    /// What the provider puts into the ID token (OpenID Connect Core 15.5.2).
    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// What only whoever began can tell the provider in the end (RFC 7636).
    pub fn code_verifier(&self) -> String {
        self.derived("code verifier")
    }

    /// 43 characters that tell nothing of the secret and of one another.
    fn derived(&self, purpose: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.as_bytes()).expect("a key");
        mac.update(purpose.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for BrowserSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserSecret(…)")
    }
}

/// An attempt to prove who one is to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// To whom.
    pub provider: ProviderName,
    /// Where the browser is sent in the end.
    pub return_to: String,
    /// The account that wants to link the identity; none when somebody signs in.
    pub account_id: Option<Uuid>,
}

impl Auth {
    /// Notes an attempt of the browser that keeps `secret`, and until when it can be finished.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn begin_attempt(
        &self,
        secret: &BrowserSecret,
        attempt: &Attempt,
    ) -> Result<OffsetDateTime, AuthError> {
        let now = ambient::now();
        sqlx::query(
            "delete from auth.oidc_attempts where state_hash in \
             (select state_hash from auth.oidc_attempts where expires_at < $1 limit $2)",
        )
        .bind(now)
        .bind(SWEEP)
        .execute(self.pool())
        .await?;
        let expires_at = now + PATIENCE;
        sqlx::query(
            "insert into auth.oidc_attempts (state_hash, provider, return_to, account_id, expires_at) \
             values ($1, $2, $3, $4, $5)",
        )
        .bind(digest(&secret.state()))
        .bind(attempt.provider.as_str())
        .bind(&attempt.return_to)
        .bind(attempt.account_id)
        .bind(expires_at)
        .execute(self.pool())
        .await?;
        Ok(expires_at)
    }

    /// The attempt of the browser that keeps `secret` and comes back from `provider` with `state`,
    /// once: none when it never left, went elsewhere, took too long, or has come back before.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn finish_attempt(
        &self,
        secret: &BrowserSecret,
        provider: &ProviderName,
        state: &str,
    ) -> Result<Option<Attempt>, AuthError> {
        if digest(state) != digest(&secret.state()) {
            return Ok(None);
        }
        let row = sqlx::query(
            "delete from auth.oidc_attempts where state_hash = $1 and provider = $2 \
             returning return_to, account_id, expires_at",
        )
        .bind(digest(state))
        .bind(provider.as_str())
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let expires_at: OffsetDateTime = row.try_get("expires_at")?;
        let attempt = Attempt {
            provider: provider.clone(),
            return_to: row.try_get("return_to")?,
            account_id: row.try_get("account_id")?,
        };
        Ok((ambient::now() < expires_at).then_some(attempt))
    }
}

fn digest(state: &str) -> Vec<u8> {
    Sha256::digest(state.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_a_secret_is_its_own_and_fit_for_pkce() {
        let (one, other) = (BrowserSecret::generate(), BrowserSecret::generate());
        let again = BrowserSecret::presented(one.reveal());
        assert_eq!(one.state(), again.state());
        let all = [one.state(), one.nonce(), one.code_verifier(), other.state()];
        for (n, text) in all.iter().enumerate() {
            assert_eq!(
                text.len(),
                43,
                "RFC 7636 4.1 asks for 43 characters at least"
            );
            assert!(!all[..n].contains(text));
        }
        assert_eq!(format!("{one:?}"), "BrowserSecret(…)");
    }
}
