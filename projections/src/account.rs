//! Accounts as seen: the profile.

use fido_domain::account::AccountEvent;
use fido_domain::{Private, Recorded};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{ReadError, Snapshot, private};

/// Who somebody is.
#[derive(Debug, Clone)]
pub struct AccountProfile {
    /// The account.
    pub account_id: Uuid,
    /// Where to write to.
    pub email: Private<String>,
    /// What to call them.
    pub display_name: Private<String>,
    /// What they may do.
    pub roles: Vec<String>,
    /// The account's stream is this long.
    pub sequence: i64,
    /// Since when there is the account.
    pub created_at: OffsetDateTime,
}

/// The profile of one account.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn profile(
    snapshot: &mut Snapshot,
    account_id: Uuid,
) -> Result<Option<AccountProfile>, ReadError> {
    let row = sqlx::query(
        "select account_id, email, display_name, roles, sequence, created_at \
         from accounts where account_id = $1",
    )
    .bind(account_id)
    .fetch_optional(&mut *snapshot.transaction)
    .await?;
    row.map(|row| {
        Ok(AccountProfile {
            account_id: row.try_get("account_id")?,
            email: private(&row, "email")?,
            display_name: private(&row, "display_name")?,
            roles: row.try_get("roles")?,
            sequence: row.try_get("sequence")?,
            created_at: row.try_get("created_at")?,
        })
    })
    .transpose()
}

pub(crate) async fn apply(
    replica: &mut PgConnection,
    recorded: &Recorded,
    event: &AccountEvent,
) -> Result<(), sqlx::Error> {
    match event {
        AccountEvent::AccountRegistered {
            email,
            display_name,
            roles,
        } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            sqlx::query(
                "insert into accounts (account_id, email, display_name, roles, sequence, created_at) \
                 values ($1, $2, $3, $4, $5, $6)",
            )
            .bind(recorded.aggregate_id)
            .bind(Json(email))
            .bind(Json(display_name))
            .bind(roles)
            .bind(recorded.sequence)
            .bind(recorded.recorded_at)
            .execute(replica)
            .await?;
        }
        // The content goes with its key; that it is sealed is all the replica knows of it.
        AccountEvent::AccountErased {} => {
            sqlx::query("update accounts set sequence = $2 where account_id = $1")
                .bind(recorded.aggregate_id)
                .bind(recorded.sequence)
                .execute(replica)
                .await?;
        }
    }
    Ok(())
}
