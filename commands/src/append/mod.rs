//! Appending: group commit, and the truth about what became of each command.
//!
//! Commands of one process queue for one appender. While a batch is at the database the next one
//! collects; a command that finds the appender idle is sent at once. A batch is one round trip, one
//! call of `append_events` (`migrations/events/0002_append_events.sql`), which decides on each
//! command for itself, so that a refused one never spoils its batch.
//!
//! Whatever happens to the line, a command's outcome is told once it is known and not before: a
//! batch whose answer did not come is sent again under a higher *attempt*, which bars what the server
//! may still hold of the earlier one, and the database recognises what it has already taken.

mod appender;
mod call;
mod line;
mod pulse;

use std::sync::Arc;

use fido_domain::Position;
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) use appender::Appender;
pub(crate) use pulse::Pulse;

/// A value that is to be unique across streams, such as an email address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What kind of value.
    pub kind: String,
    /// Keyed hash of the value ([`crate::vault::Pepper::hash`]).
    pub hash: Vec<u8>,
    /// Taken, or given back.
    pub take: bool,
}

/// What makes a request that is sent twice have one effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Who asks; a key means something within one account.
    pub account_id: Uuid,
    /// Keyed hash of the `Idempotency-Key`.
    pub key_hash: Vec<u8>,
    /// Keyed hash of everything that was asked.
    pub request_hash: Vec<u8>,
    /// The status of the answer.
    pub status: u16,
}

/// Everything that is stored of one command.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) command_id: Uuid,
    pub(crate) aggregate_type: &'static str,
    pub(crate) aggregate_id: String,
    /// The epoch of the log in which it was decided.
    pub(crate) epoch: i32,
    /// The sequence the stream is expected to be at.
    pub(crate) expected: i64,
    pub(crate) subject: Uuid,
    pub(crate) events: Vec<NewEvent>,
    /// The same for each of the events.
    pub(crate) metadata: String,
    pub(crate) claims: Vec<Claim>,
    pub(crate) receipt: Option<Receipt>,
}

/// An event that has no position yet.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) event_type: String,
    pub(crate) event_version: String,
    /// Canonical JSON, private fields sealed.
    pub(crate) payload: String,
}

impl Submission {
    /// About how many bytes it takes on its way.
    fn size(&self) -> usize {
        let events: usize = self.events.iter().map(|event| event.payload.len()).sum();
        events + self.events.len().max(1) * self.metadata.len()
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its events stand from `first_position` on.
    Appended {
        first_position: Position,
        recorded_at: OffsetDateTime,
    },
    /// Its stream had moved on.
    Conflict,
    /// Another stream holds the claim of this kind.
    ClaimTaken { kind: String },
    /// Its receipt was written before.
    ReceiptExists,
}

/// Why a command was not appended. It is certain that it was not.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AppendError {
    /// More commands wait than the process has room for.
    #[error("too many commands wait for the event store")]
    Full,
    /// It was not sent, because there was no line for seconds.
    #[error("the event store cannot be reached")]
    Unreachable,
    /// The database did not get at it in time.
    #[error("the event store is busy")]
    Busy(#[source] Arc<sqlx::Error>),
    /// The database will not take this command, whatever it comes with.
    #[error("the event store refused the command")]
    Refused(#[source] Arc<sqlx::Error>),
    /// The log ends at `head`, and something trusted has seen more of it.
    #[error("log diverged at {}", head + 1)]
    Diverged { head: Position },
}
