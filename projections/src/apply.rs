//! One batch of events, one transaction: rows and checkpoint move together or not at all.

use fido_domain::account::{Account, AccountEvent};
use fido_domain::conversation::{Conversation, ConversationEvent};
use fido_domain::plan::{Plan, PlanEvent};
use fido_domain::recorded::Undecodable;
use fido_domain::{Epochs, Evolve, Position, Recorded};
use sqlx::{PgConnection, PgPool};

use crate::{account, checkpoint, conversation, plan, timeline};

/// A batch that was not applied; the replica is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// This build does not know the event. A newer one does: projectors are upgraded first.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    /// A kind of stream that this build does not know.
    #[error("event {position} is of a kind this build does not know: {aggregate_type}")]
    UnknownAggregate {
        position: Position,
        aggregate_type: String,
    },
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
    let mut timeline = Vec::with_capacity(events.len());
    for event in events {
        if event.position != epochs.after(position) {
            return Err(ApplyError::Hole {
                checkpoint: position,
                found: event.position,
            });
        }
        position = event.position;
        apply_one(&mut transaction, event).await?;
        timeline.push((event.metadata()?.subject, event));
    }
    timeline::apply(&mut transaction, &timeline).await?;
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

async fn apply_one(replica: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
    match recorded.aggregate_type.as_str() {
        Account::TYPE => {
            let event: AccountEvent = recorded.event()?;
            account::apply(replica, recorded, &event).await?;
        }
        Conversation::TYPE => {
            let event: ConversationEvent = recorded.event()?;
            conversation::apply(replica, recorded, &event).await?;
        }
        Plan::TYPE => {
            let event: PlanEvent = recorded.event()?;
            plan::apply(&event);
        }
        unknown => {
            return Err(ApplyError::UnknownAggregate {
                position: recorded.position,
                aggregate_type: unknown.to_owned(),
            });
        }
    }
    Ok(())
}
