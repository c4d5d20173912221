//! Why a conversation says no.

use uuid::Uuid;

/// Why a conversation says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationRefusal {
    /// There is none, or it is somebody else's, or it was erased.
    #[error("there is no such conversation")]
    NotFound,
    /// It was started before.
    #[error("the conversation was started before")]
    AlreadyStarted,
    /// It was put away.
    #[error("the conversation is archived; make it active first")]
    Archived,
    /// One reply at a time.
    #[error("a reply is being written; wait for it, or stop it first")]
    ReplyInProgress {
        /// Which.
        reply_id: Uuid,
    },
    /// The conversation has no such reply.
    #[error("there is no such reply")]
    NoSuchReply,
    /// What was said after a reply stands on it.
    #[error("only the last reply of a conversation can be written again")]
    ReplyNotLast,
    /// There is nothing yet that could be rated.
    #[error("the reply has no text to rate")]
    NothingToRate,
    /// Nobody waits for this reply (any more).
    #[error("nobody waits for this reply")]
    ReplyNotOpen,
    /// Another worker has taken over since.
    #[error("attempt {attempt} was superseded by attempt {current}")]
    Superseded {
        /// The attempt of the worker that asked.
        attempt: u32,
        /// The attempt that counts.
        current: u32,
    },
}
