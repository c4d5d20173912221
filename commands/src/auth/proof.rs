//! Asking a person who is signed in to prove once more that it is them, before something that
//! cannot be undone.

use time::{Duration, OffsetDateTime};

use super::{Auth, AuthError, Password, Session};
use crate::ambient;

/// How long ago a person may have signed in who has no password.
pub const FRESH: Duration = Duration::minutes(5);

impl Auth {
    /// Makes sure that it is the owner of the account who asks: by their password, or, where there is
    /// none because they sign in elsewhere, by having signed in less than [`FRESH`] ago.
    ///
    /// # Errors
    /// [`AuthError::PasswordNeeded`], [`AuthError::WrongCredentials`], [`AuthError::Throttled`],
    /// [`AuthError::SignInNotFresh`], or what the database says.
    pub async fn prove_again(
        &self,
        session: Session,
        password: Option<Password>,
    ) -> Result<(), AuthError> {
        let hash: Option<String> =
            sqlx::query_scalar("select password_hash from auth.credentials where account_id = $1")
                .bind(session.account_id)
                .fetch_optional(self.pool())
                .await?;
        match (hash, password) {
            (None, _) => self.is_fresh(session).await,
            (Some(_), None) => Err(AuthError::PasswordNeeded),
            (Some(_), Some(password)) => self.confirm(session.account_id, password).await,
        }
    }

    async fn is_fresh(&self, session: Session) -> Result<(), AuthError> {
        let created_at: Option<OffsetDateTime> = sqlx::query_scalar(
            "select created_at from auth.sessions where session_id = $1 and account_id = $2",
        )
        .bind(session.session_id)
        .bind(session.account_id)
        .fetch_optional(self.pool())
        .await?;
        created_at
            .filter(|created_at| ambient::now() - *created_at < FRESH)
            .map(drop)
            .ok_or(AuthError::SignInNotFresh)
    }
}
