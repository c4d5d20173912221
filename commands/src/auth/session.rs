//! Sessions: one row a device; the token is known to the device alone, the row holds its hash. What
//! ends one is told to every process ([`Revocation`]).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fido_domain::Private;
use fido_domain::access::{AccessEvent, SignInWay, SignOutReason};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::memory::{Remembered, TokenHash};
use super::revocation::{Revocation, Watch};
use super::{Auth, AuthError, account_stream};
use crate::ambient;
use crate::store::Origin;

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

    fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
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
        .bind(opened.token.hash().as_slice())
        .bind(Json(user_agent))
        .bind(now)
        .bind(opened.expires_at)
        .execute(self.pool())
        .await?;
        Ok(opened)
    }

    /// Lets somebody in who has proved, in this `way`, to be the owner of `account_id`: a session, and
    /// a line in the log.
    ///
    /// # Errors
    /// [`AuthError::Database`] and [`AuthError::Vault`].
    pub async fn sign_in(
        &self,
        account_id: Uuid,
        way: SignInWay,
        origin: &Origin,
    ) -> Result<OpenedSession, AuthError> {
        let user_agent = origin.user_agent.as_deref().unwrap_or_default();
        let opened = self.open_session(account_id, user_agent).await?;
        let session_id = opened.session_id;
        let event = AccessEvent::SignedIn { session_id, way };
        self.access().happened(account_id, event, origin);
        Ok(opened)
    }

    /// Who `token` stands for; nobody when it is unknown, revoked or too old.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn session(&self, token: &SessionToken) -> Result<Option<Session>, AuthError> {
        let (now, hash) = (ambient::now(), token.hash());
        let ticket = self.memory().ticket();
        let remembered = ticket.and_then(|_| self.memory().session(&hash));
        if let Some(known) = remembered.filter(|known| known.expires_at > now) {
            return Ok(Some(known.session));
        }
        let found = sqlx::query(
            "select session_id, account_id, expires_at from auth.sessions \
             where token_hash = $1 and expires_at > $2",
        )
        .bind(hash.as_slice())
        .bind(now)
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = found else {
            return Ok(None);
        };
        let session = Session::from_row(&row)?;
        if let Some(ticket) = ticket {
            let expires_at = row.try_get("expires_at")?;
            let known = Remembered {
                session,
                expires_at,
            };
            self.memory().keep_session(ticket, hash, known);
        }
        Ok(Some(session))
    }

    /// Watches a session that somebody is served for; none when it is over already.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn watch(&self, session: Session) -> Result<Option<Watch>, AuthError> {
        let (account_id, session_id) = (session.account_id, session.session_id);
        // First the watch, then the look: what ends in between is seen by one of the two.
        let watch = self
            .watchers()
            .watch(account_id, session_id, ambient::new_id());
        let is_there: bool = sqlx::query_scalar(
            "select exists (select from auth.sessions where session_id = $1 and expires_at > $2)",
        )
        .bind(session_id)
        .bind(ambient::now())
        .fetch_one(self.pool())
        .await?;
        Ok(is_there.then_some(watch))
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

    /// Ends the session `session_id` of the account of `who`, on every instance; false when the account
    /// has no such session.
    ///
    /// # Errors
    /// [`AuthError::Database`].
    pub async fn revoke(
        &self,
        who: Session,
        session_id: Uuid,
        origin: &Origin,
    ) -> Result<bool, AuthError> {
        let account_id = who.account_id;
        let gone =
            sqlx::query("delete from auth.sessions where account_id = $1 and session_id = $2")
                .bind(account_id)
                .bind(session_id)
                .execute(self.pool())
                .await?;
        // Another process may still take it for open, whoever has ended it.
        self.revoked(Revocation::Session {
            account_id,
            session_id,
        });
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        let reason = if session_id == who.session_id {
            SignOutReason::SignedOut
        } else {
            SignOutReason::Revoked
        };
        let session_ids = vec![session_id];
        let event = AccessEvent::SignedOut {
            session_ids,
            reason,
        };
        self.access().happened(account_id, event, origin);
        Ok(true)
    }

    /// Ends all sessions of the account, but for `kept`; answers with which they were.
    pub(super) async fn end_sessions(
        &self,
        account_id: Uuid,
        kept: Option<Uuid>,
    ) -> Result<Vec<Uuid>, AuthError> {
        let ended = sqlx::query_scalar(
            "delete from auth.sessions where account_id = $1 and session_id is distinct from $2 \
             returning session_id",
        )
        .bind(account_id)
        .bind(kept)
        .fetch_all(self.pool())
        .await?;
        self.revoked(match kept {
            Some(kept) => Revocation::Others { account_id, kept },
            None => Revocation::All { account_id },
        });
        Ok(ended)
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
