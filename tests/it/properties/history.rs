//! What the clients of one case saw: when they asked, when they were answered, and how.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use fido_commands::conversation::ConversationRefusal;
use fido_commands::{Committed, ExecuteError};
use fido_domain::conversation::ConversationEvent;
use tokio::task::JoinError;

use super::order::Order;
use super::process::Answer;

/// Commands and their outcomes, as they were noted by all clients together.
#[derive(Default)]
pub(super) struct History {
    clock: AtomicU64,
    entries: Mutex<Vec<Entry>>,
}

/// One command. What ended before another began is known to have come first.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) order: Order,
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) outcome: Outcome,
}

/// What the client was told.
#[derive(Clone)]
pub(super) enum Outcome {
    /// It is done.
    Acknowledged(Committed<ConversationEvent>),
    /// The aggregate said no: nothing has happened, and nothing will.
    Refused(ConversationRefusal),
    /// Another stream holds a claim of this kind: nothing has happened, and nothing will.
    ClaimTaken(String),
    /// The `Idempotency-Key` was used for another request: nothing has happened, and nothing will.
    KeyReused,
    /// The store could not do it: nothing has happened, and nothing will.
    NotDone(String),
    /// Something is erased or cannot be read or written, which in these cases cannot be.
    Broken(String),
    /// Nobody waited for the answer: it may have happened, now or later, once.
    Abandoned,
}

impl Outcome {
    pub(super) fn of(answer: Result<Answer, JoinError>) -> Self {
        match answer {
            Ok(Ok(committed)) => Self::Acknowledged(committed),
            Ok(Err(ExecuteError::Refused(refusal))) => Self::Refused(refusal),
            Ok(Err(ExecuteError::ClaimTaken { kind })) => Self::ClaimTaken(kind),
            Ok(Err(ExecuteError::KeyReused)) => Self::KeyReused,
            Ok(Err(ExecuteError::Unavailable(source))) => Self::NotDone(source.to_string()),
            Ok(Err(
                error @ (ExecuteError::Contended { .. }
                | ExecuteError::Overloaded
                | ExecuteError::Diverged { .. }),
            )) => Self::NotDone(error.to_string()),
            Ok(Err(
                error @ (ExecuteError::Stale { .. }
                | ExecuteError::Erased { .. }
                | ExecuteError::Corrupt { .. }),
            )) => Self::Broken(format!("{error:?}")),
            Err(ended) if ended.is_cancelled() => Self::Abandoned,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged(committed) => write!(
                f,
                "done{} with {} events, position {}",
                if committed.replayed { " before" } else { "" },
                committed.events.len(),
                committed.position,
            ),
            Self::Refused(refusal) => write!(f, "refused, {refusal:?}"),
            Self::ClaimTaken(kind) => write!(f, "refused, the {kind} is taken"),
            Self::KeyReused => f.write_str("refused, the key was used before"),
            Self::NotDone(why) => write!(f, "not done, {why}"),
            Self::Broken(what) => write!(f, "failed, {what}"),
            Self::Abandoned => f.write_str("not waited for"),
        }
    }
}

impl History {
    /// The next moment.
    pub(super) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    pub(super) fn note(&self, entry: Entry) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    /// Everything noted, in the order in which it was asked.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = entries.clone();
        entries.sort_by_key(|entry| entry.began);
        entries
    }
}
