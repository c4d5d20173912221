//! What may happen in a conversation.

use fido_domain::Private;
use fido_domain::conversation::{
    Conversation, ConversationEvent, Copilot, Goal, MessageText, OpenReply, Usage,
};
use uuid::Uuid;

use crate::Decide;

/// What may be asked of a conversation.
#[derive(Debug, Clone)]
pub enum ConversationCommand {
    /// A person turns to a co-pilot.
    StartConversation {
        /// Who.
        account_id: Uuid,
        /// To whom.
        copilot: Copilot,
        /// To what end.
        goal: Option<Goal>,
        /// About which plan.
        plan_id: Option<Uuid>,
    },
    /// A person writes, and so asks for a reply.
    PostMessage {
        /// Who writes.
        account_id: Uuid,
        /// The id of the message.
        message_id: Uuid,
        /// The id of the reply it will get.
        reply_id: Uuid,
        /// What it says.
        text: MessageText,
    },
    /// A worker begins to answer.
    StartReply {
        /// Which reply.
        reply_id: Uuid,
    },
    /// A worker has the answer.
    RecordReply {
        /// Which reply.
        reply_id: Uuid,
        /// The attempt it was given when it began.
        attempt: u32,
        /// What the model wrote.
        text: String,
        /// Which model.
        model: String,
        /// What it used.
        usage: Usage,
    },
    /// A worker gives up.
    FailReply {
        /// Which reply.
        reply_id: Uuid,
        /// The attempt it was given when it began.
        attempt: u32,
        /// Why, as a stable code.
        reason: String,
    },
    /// A person has the content erased. The event comes first, then the key of the stream goes.
    EraseConversation {
        /// Who.
        account_id: Uuid,
    },
}

/// Why a conversation says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationRefusal {
    /// There is none, or it is somebody else's, or it was erased.
    #[error("there is no such conversation")]
    NotFound,
    /// It was started before.
    #[error("the conversation was started before")]
    AlreadyStarted,
    /// One reply at a time.
    #[error("a reply is being written; wait for it, or stop it first")]
    ReplyInProgress {
        /// Which.
        reply_id: Uuid,
    },
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

impl Decide for Conversation {
    type Command = ConversationCommand;
    type Refusal = ConversationRefusal;

    fn decide(
        &self,
        command: &ConversationCommand,
    ) -> Result<Vec<ConversationEvent>, ConversationRefusal> {
        if self.is_erased() {
            return match command {
                ConversationCommand::EraseConversation { account_id } => erase(self, *account_id),
                ConversationCommand::StartConversation { .. }
                | ConversationCommand::PostMessage { .. }
                | ConversationCommand::StartReply { .. }
                | ConversationCommand::RecordReply { .. }
                | ConversationCommand::FailReply { .. } => Err(ConversationRefusal::NotFound),
            };
        }
        match command {
            ConversationCommand::StartConversation {
                account_id,
                copilot,
                goal,
                plan_id,
            } => match self.owner() {
                Some(_) => Err(ConversationRefusal::AlreadyStarted),
                None => Ok(vec![ConversationEvent::ConversationStarted {
                    account_id: *account_id,
                    copilot: *copilot,
                    goal: goal.clone().map(|goal| Private::new(goal.into())),
                    plan_id: *plan_id,
                }]),
            },
            ConversationCommand::PostMessage {
                account_id,
                message_id,
                reply_id,
                text,
            } => post_message(self, *account_id, *message_id, *reply_id, text),
            ConversationCommand::StartReply { reply_id } => {
                let open = awaited(self, *reply_id)?;
                Ok(vec![ConversationEvent::ReplyStarted {
                    reply_id: *reply_id,
                    attempt: open.attempt + 1,
                }])
            }
            ConversationCommand::RecordReply {
                reply_id,
                attempt,
                text,
                model,
                usage,
            } => settle(self, *reply_id, *attempt, || {
                ConversationEvent::ReplyCompleted {
                    reply_id: *reply_id,
                    attempt: *attempt,
                    characters: u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
                    text: Private::new(text.clone()),
                    model: model.clone(),
                    usage: *usage,
                }
            }),
            ConversationCommand::FailReply {
                reply_id,
                attempt,
                reason,
            } => settle(self, *reply_id, *attempt, || {
                ConversationEvent::ReplyFailed {
                    reply_id: *reply_id,
                    attempt: *attempt,
                    reason: reason.clone(),
                }
            }),
            ConversationCommand::EraseConversation { account_id } => erase(self, *account_id),
        }
    }
}

/// Erases the content, and with it the wait for a reply.
fn erase(
    conversation: &Conversation,
    account_id: Uuid,
) -> Result<Vec<ConversationEvent>, ConversationRefusal> {
    match conversation.owner() {
        Some(owner) if owner == account_id => {}
        Some(_) | None => return Err(ConversationRefusal::NotFound),
    }
    if conversation.is_erased() {
        return Ok(Vec::new());
    }
    Ok(vec![ConversationEvent::ConversationErased {}])
}

fn post_message(
    conversation: &Conversation,
    account_id: Uuid,
    message_id: Uuid,
    reply_id: Uuid,
    text: &MessageText,
) -> Result<Vec<ConversationEvent>, ConversationRefusal> {
    let copilot = match (conversation.owner(), conversation.copilot()) {
        (Some(owner), Some(copilot)) if owner == account_id => copilot,
        _ => return Err(ConversationRefusal::NotFound),
    };
    if let Some(OpenReply { reply_id, .. }) = conversation.open_reply() {
        return Err(ConversationRefusal::ReplyInProgress { reply_id });
    }
    Ok(vec![
        ConversationEvent::MessagePosted {
            message_id,
            characters: text.characters(),
            text: Private::new(text.as_str().to_owned()),
        },
        ConversationEvent::ReplyRequested {
            reply_id,
            message_id,
            copilot,
        },
    ])
}

/// Ends a reply once: asking again for a reply that has ended changes nothing, and only the worker
/// of the current attempt may end it.
fn settle(
    conversation: &Conversation,
    reply_id: Uuid,
    attempt: u32,
    event: impl FnOnce() -> ConversationEvent,
) -> Result<Vec<ConversationEvent>, ConversationRefusal> {
    if conversation.has_settled(reply_id) {
        return Ok(Vec::new());
    }
    let open = awaited(conversation, reply_id)?;
    if open.attempt != attempt {
        return Err(ConversationRefusal::Superseded {
            attempt,
            current: open.attempt,
        });
    }
    Ok(vec![event()])
}

fn awaited(conversation: &Conversation, reply_id: Uuid) -> Result<OpenReply, ConversationRefusal> {
    conversation
        .open_reply()
        .filter(|open| open.reply_id == reply_id)
        .ok_or(ConversationRefusal::ReplyNotOpen)
}
