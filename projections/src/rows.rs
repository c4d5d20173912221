//! The rows that follow from events: a batch is folded into what it changes, purely; then each table
//! is written with a handful of statements, however many events there were.

use fido_domain::access::{self, Access, AccessEvent};
use fido_domain::account::Account;
use fido_domain::conversation::Conversation;
use fido_domain::plan::Plan;
use fido_domain::recorded::Undecodable;
use fido_domain::{Evolve, Position, Private, Recorded};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{account, audit, conversation, plan, query, timeline, usage};

/// Content after its erasure, as it stands in a column.
pub(crate) const ERASED: &str = r#"{"erased":true}"#;

/// Rows that were not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// This build cannot read the event.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    /// A kind of stream that this build does not know.
    #[error("event {position} is of a kind this build does not know: {aggregate_type}")]
    UnknownAggregate {
        /// Where it stands.
        position: Position,
        /// The kind.
        aggregate_type: String,
    },
    /// A projection panicked, which is a bug.
    #[error("the projection broke off: {0}")]
    Panicked(String),
    /// The database refused or was not there.
    #[error("the replica cannot be written")]
    Database(#[from] sqlx::Error),
}

/// Writes the rows of `events`, which come in order, in the transaction that `replica` is in.
///
/// Rows depend on the events of a stream and their order alone, or add up over streams in any order.
/// So batches may be cut anywhere, and one stream may be behind others: in the end the rows are equal.
/// Checkpoint, transaction and quarantine are the caller's.
///
/// # Errors
/// [`WriteError`]; then some rows may be written already, and the transaction must not be committed.
pub async fn write(replica: &mut PgConnection, events: &[Recorded]) -> Result<(), WriteError> {
    if events.is_empty() {
        return Ok(());
    }
    let changes = Changes::of(events)?;
    sqlx::query(query::WRITING).execute(&mut *replica).await?;
    Ok(changes.write(replica).await?)
}

/// What a batch of events changes.
#[derive(Default)]
struct Changes<'a> {
    accounts: account::Changes,
    conversations: conversation::Changes,
    plans: plan::Changes,
    usage: usage::Changes,
    timeline: timeline::Changes<'a>,
    audit: audit::Changes<'a>,
}

impl<'a> Changes<'a> {
    fn of(events: &'a [Recorded]) -> Result<Self, WriteError> {
        let mut changes = Self::default();
        for event in events {
            changes.take(event)?;
        }
        Ok(changes)
    }

    fn take(&mut self, recorded: &'a Recorded) -> Result<(), WriteError> {
        let metadata = recorded.metadata()?;
        match recorded.aggregate_type.as_str() {
            // It stands in the audit timeline, and nothing is shown of it elsewhere.
            Access::TYPE => drop(recorded.event::<AccessEvent>()?),
            Account::TYPE => self.accounts.take(recorded, recorded.event()?),
            Conversation::TYPE => {
                let event = recorded.event()?;
                self.usage
                    .take_conversation(metadata.subject, recorded, &event);
                self.conversations.take(recorded, event);
            }
            Plan::TYPE => {
                let event = recorded.event()?;
                self.usage.take_plan(metadata.subject, recorded, &event);
                self.plans.take(recorded, event);
            }
            unknown => {
                return Err(WriteError::UnknownAggregate {
                    position: recorded.position,
                    aggregate_type: unknown.to_owned(),
                });
            }
        }
        if metadata.subject != access::NOBODY {
            self.timeline.take(metadata.subject, recorded);
        }
        self.audit.take(metadata, recorded);
        Ok(())
    }

    async fn write(self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.accounts.write(replica).await?;
        self.conversations.write(replica).await?;
        // Asks the conversations who answered.
        self.usage.write(replica).await?;
        self.plans.write(replica).await?;
        self.timeline.write(replica).await?;
        self.audit.write(replica).await
    }
}

/// Private content as it stands in a column: the form in which it came.
pub(crate) fn stored<T: Serialize>(content: &Private<T>) -> String {
    // Nothing in it can fail to serialize: it has just been read from the same form.
    serde_json::to_string(content).unwrap_or_else(|_| ERASED.to_owned())
}

/// A count as the database has it.
pub(crate) fn integer(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
