//! After the log lost its tail: declaring a new epoch, beyond every position that was ever seen. Done
//! by an operator, as the owner of the event store; nothing that runs by itself can.

use fido_domain::{Epoch, Position};
use sqlx::PgConnection;

use crate::log;

/// No epoch was declared.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// Only the owner of the event store may.
    #[error("only the owner of the event store may fork the log")]
    NotOwner(#[source] sqlx::Error),
    /// The database could not be asked, or refused what was asked for.
    #[error("the epoch was not declared")]
    Database(#[source] sqlx::Error),
}

/// Declares the epoch after the current one and after `epoch`, with a first event beyond `beyond`.
/// What lies between is lost for good; appends go on behind it.
///
/// # Errors
/// [`ForkError`]; nothing has changed then.
pub async fn fork(
    owner: &mut PgConnection,
    beyond: Position,
    epoch: i32,
    reason: &str,
) -> Result<Epoch, ForkError> {
    let declared =
        sqlx::query("select log_id, epoch, forked_after, first_position from fork_log($1, $2, $3)")
            .bind(beyond)
            .bind(epoch)
            .bind(reason)
            .fetch_one(owner)
            .await
            .map_err(refused)?;
    log::epoch(&declared).map_err(ForkError::Database)
}

fn refused(error: sqlx::Error) -> ForkError {
    /// `insufficient_privilege`
    const NOT_ALLOWED: &str = "42501";
    let code = error.as_database_error().and_then(|refusal| refusal.code());
    if code.as_deref() == Some(NOT_ALLOWED) {
        ForkError::NotOwner(error)
    } else {
        ForkError::Database(error)
    }
}
