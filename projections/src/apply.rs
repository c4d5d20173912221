//! One batch of events, one transaction: rows and checkpoint move together or not at all.

use fido_domain::{Epochs, Position, Recorded};
use sqlx::PgPool;

use crate::rows::WriteError;
use crate::{checkpoint, rows};

/// A batch that was not applied; the replica is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The rows could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Another projector has moved the checkpoint.
    #[error("the checkpoint is no longer at {expected}: another projector is at work")]
    Fenced { expected: Position },
    /// The events do not follow the checkpoint.
    #[error("position {found} cannot follow {checkpoint}")]
    Hole {
        checkpoint: Position,
        found: Position,
    },
    /// The database refused or was not there.
    #[error("the replica cannot be written")]
    Database(#[from] sqlx::Error),
}

/// Applies `events`, the first of which follows `checkpoint`; answers with the new checkpoint. Where
/// a gap of the log's `epochs` begins behind the last of them, it is passed too: nothing lies in it.
pub(crate) async fn apply(
    pool: &PgPool,
    epochs: &Epochs,
    checkpoint: Position,
    events: &[Recorded],
) -> Result<Position, ApplyError> {
    let mut transaction = pool.begin().await?;
    let mut position = checkpoint;
    for event in events {
        if event.position != epochs.after(position) {
            return Err(ApplyError::Hole {
                checkpoint: position,
                found: event.position,
            });
        }
        position = event.position;
    }
    rows::write(&mut transaction, events).await?;
    let position = epochs.through(position);
    let epoch = epochs.current().epoch;
    if !checkpoint::advance(&mut transaction, epoch, checkpoint, position).await? {
        return Err(ApplyError::Fenced {
            expected: checkpoint,
        });
    }
    transaction.commit().await?;
    Ok(position)
}
