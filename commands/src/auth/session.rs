//! Sessions: one row a device; the token is known to the device alone, the row holds its hash.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fido_domain::Private;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Auth, AuthError, account_stream};
use crate::ambient;

/// How long a session lasts.
const LIFETIME: Duration = Duration::days(30);
/// What every token begins with, so that scanners for leaked secrets recognise one.
const PREFIX: &str = "fido_";
/// The field that a device's name is sealed as.
const USER_AGENT: &str = "session.user_agent";

/// The secret a device shows with each request.
#[derive(Clone)]
pub struct SessionToken(String);

impl SessionToken {
    /// Whatever a client sent; whether it is anybody's token the database says.
    pub fn presented(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token, for the device that it was made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn generate() -> Self {
        Self(format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(ambient::random::<32>())
        ))
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// A session just opened, with the token that will not be seen again.
#[derive(Debug, Clone)]
pub struct OpenedSession {
    /// The session.
    pub session_id: Uuid,
    /// What to present from now on.
    pub token: SessionToken,
    /// Until when.
    pub expires_at: OffsetDateTime,
}

/// Who a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Session {
    /// The session.
    pub session_id: Uuid,
    /// The account that signed in.
    pub account_id: Uuid,
}

/// One of a person's sessions, as shown to that person.
#[derive(Debug, Clone)]
pub struct Device {
    /// The session.
    pub session_id: Uuid,
    /// What the device said it was.
    pub user_agent: Private<String>,
    /// When it signed in.
    pub created_at: OffsetDateTime,
    /// Until when it is signed in.
    pub expires_at: OffsetDateTime,
}

impl Auth {
    /// Opens a session for an account whose owner has proved to be that.
    ///
    /// # Errors
    /// [`AuthError::Database`] and [`AuthError::Vault`].
    pub async fn open_session(
        &self,
        account_id: Uuid,
        user_agent: &str,
    ) -> Result<OpenedSession, AuthError> {
        let now = ambient::now();
        let opened = OpenedSession {
            session_id: ambient::new_id(),
            token: SessionToken::generate(),
            expires_at: now + LIFETIME,
        };
        let user_agent: String = user_agent.chars().take(200).collect();
        let stream = account_stream(account_id);
        let user_agent = self
            .vault()
            .seal_text(&stream, account_id, USER_AGENT, &user_agent)
            .await?;
        sqlx::query(
            "insert into auth.sessions (session_id, account_id, token_hash, user_agent, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(opened.session_id)
        .bind(account_id)
        .bind(opened.token.hash())
        .bind(Json(user_agent))
        .bind(now)
        .bind(opened.expires_at)
        .execute(self.pool())
        .await?;
        Ok(opened)
    }

    /// Who `token` stands for; nobody when it is unknown, revoked or too old.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn session(&self, token: &SessionToken) -> Result<Option<Session>, AuthError> {
        Ok(sqlx::query_as(
            "select session_id, account_id from auth.sessions where token_hash = $1 and expires_at > $2",
        )
        .bind(token.hash())
        .bind(ambient::now())
        .fetch_optional(self.pool())
        .await?)
    }

    /// Where a person is signed in, newest first.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn devices(&self, account_id: Uuid) -> Result<Vec<Device>, AuthError> {
        let rows = sqlx::query(
            "select session_id, user_agent, created_at, expires_at from auth.sessions \
             where account_id = $1 and expires_at > $2 order by created_at desc, session_id desc",
        )
        .bind(account_id)
        .bind(ambient::now())
        .fetch_all(self.pool())
        .await?;
        let mut devices = rows.iter().map(device).collect::<Result<Vec<_>, _>>()?;
        let texts = devices.iter_mut().map(|device| &mut device.user_agent);
        self.vault()
            .open_all(
                texts
                    .map(|text| (account_stream(account_id), text))
                    .collect(),
            )
            .await?;
        Ok(devices)
    }

    /// Ends a session of `account_id`; false when the account has no such session.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn revoke(&self, account_id: Uuid, session_id: Uuid) -> Result<bool, AuthError> {
        let gone =
            sqlx::query("delete from auth.sessions where account_id = $1 and session_id = $2")
                .bind(account_id)
                .bind(session_id)
                .execute(self.pool())
                .await?;
        Ok(gone.rows_affected() > 0)
    }
}

fn device(row: &PgRow) -> Result<Device, sqlx::Error> {
    let Json(user_agent) = row.try_get("user_agent")?;
    Ok(Device {
        session_id: row.try_get("session_id")?,
        user_agent,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}
