//! The rows that follow from events.

use fido_domain::account::{Account, AccountEvent};
use fido_domain::conversation::{Conversation, ConversationEvent};
use fido_domain::plan::{Plan, PlanEvent};
use fido_domain::recorded::Undecodable;
use fido_domain::{Evolve, Position, Recorded};
use sqlx::PgConnection;

use crate::{account, conversation, plan, timeline};

/// Rows that were not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// This build cannot read the event.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    /// A kind of stream that this build does not know.
    #[error("event {position} is of a kind this build does not know: {aggregate_type}")]
    UnknownAggregate {
        position: Position,
        aggregate_type: String,
    },
    /// A projection panicked, which is a bug.
    #[error("the projection broke off: {0}")]
    Panicked(String),
    /// The database refused or was not there.
    #[error("the replica cannot be written")]
    Database(#[from] sqlx::Error),
}

/// Writes the rows of `events`, which come in order. Streams may be at different places: after a
/// quarantine, events of one stream come later than events of others that stand behind them in the
/// log, and the rows must be the same in the end.
pub(crate) async fn write(
    replica: &mut PgConnection,
    events: &[Recorded],
) -> Result<(), WriteError> {
    let mut timeline = Vec::with_capacity(events.len());
    for event in events {
        write_one(replica, event).await?;
        timeline.push((event.metadata()?.subject, event));
    }
    Ok(timeline::apply(replica, &timeline).await?)
}

async fn write_one(replica: &mut PgConnection, recorded: &Recorded) -> Result<(), WriteError> {
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
            return Err(WriteError::UnknownAggregate {
                position: recorded.position,
                aggregate_type: unknown.to_owned(),
            });
        }
    }
    Ok(())
}
