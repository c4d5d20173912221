//! What may happen in a conversation. What may be asked stands here; beside it one file a concept
//! decides.

mod filing;
mod refusal;
mod replies;

use fido_domain::Private;
use fido_domain::conversation::{
    Conversation, ConversationEvent, ConversationTitle, Copilot, Goal, MessageText, Rating,
    RatingComment, Usage,
};
use uuid::Uuid;

use crate::Decide;

pub use refusal::ConversationRefusal;

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
        /// About which plan; whoever issues the command has made sure that it is theirs.
        plan_id: Option<Uuid>,
    },
    /// A person names the conversation, puts it away or takes it out again.
    FileConversation {
        /// Who.
        account_id: Uuid,
        /// What it is called from now on, if that changes.
        title: Option<ConversationTitle>,
        /// Whether it is put away from now on, if that changes.
        archived: Option<bool>,
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
    /// A person wants another reply in place of the last one.
    RegenerateReply {
        /// Who.
        account_id: Uuid,
        /// The last reply.
        reply_id: Uuid,
        /// The id of the reply that is to come.
        new_reply_id: Uuid,
    },
    /// A person no longer wants a reply.
    CancelReply {
        /// Who.
        account_id: Uuid,
        /// Which reply.
        reply_id: Uuid,
    },
    /// A person says what they think of a reply.
    RateReply {
        /// Who.
        account_id: Uuid,
        /// Which reply.
        reply_id: Uuid,
        /// What they think of it.
        rating: Rating,
        /// Why.
        comment: Option<RatingComment>,
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
    /// A worker has a part of an answer that failed or was cancelled.
    RecordPartialReply {
        /// Which reply.
        reply_id: Uuid,
        /// The attempt it was given when it began.
        attempt: u32,
        /// As far as the model had come.
        text: String,
    },
    /// A person has the content erased. The event comes first, then the key of the stream goes.
    EraseConversation {
        /// Who.
        account_id: Uuid,
    },
}

/// What a decision leads to.
type Decision = Result<Vec<ConversationEvent>, ConversationRefusal>;

impl Decide for Conversation {
    type Command = ConversationCommand;
    type Refusal = ConversationRefusal;

    fn decide(&self, command: &ConversationCommand) -> Decision {
        match command {
            ConversationCommand::StartConversation {
                account_id,
                copilot,
                goal,
                plan_id,
            } => start(self, *account_id, *copilot, goal.as_ref(), *plan_id),
            ConversationCommand::FileConversation {
                account_id,
                title,
                archived,
            } => filing::file(readable(self, *account_id)?, title.as_ref(), *archived),
            ConversationCommand::PostMessage {
                account_id,
                message_id,
                reply_id,
                text,
            } => replies::post(in_use(self, *account_id)?, *message_id, *reply_id, text),
            ConversationCommand::RegenerateReply {
                account_id,
                reply_id,
                new_reply_id,
            } => replies::regenerate(in_use(self, *account_id)?, *reply_id, *new_reply_id),
            ConversationCommand::CancelReply {
                account_id,
                reply_id,
            } => replies::cancel(readable(self, *account_id)?, *reply_id),
            ConversationCommand::RateReply {
                account_id,
                reply_id,
                rating,
                comment,
            } => {
                let conversation = readable(self, *account_id)?;
                replies::rate(conversation, *reply_id, *rating, comment.as_ref())
            }
            ConversationCommand::StartReply { reply_id } => {
                replies::start(not_erased(self)?, *reply_id)
            }
            ConversationCommand::RecordReply {
                reply_id,
                attempt,
                text,
                model,
                usage,
            } => replies::settle(not_erased(self)?, *reply_id, *attempt, || {
                ConversationEvent::ReplyCompleted {
                    reply_id: *reply_id,
                    attempt: *attempt,
                    characters: characters(text),
                    text: Private::new(text.clone()),
                    model: model.clone(),
                    usage: *usage,
                }
            }),
            ConversationCommand::FailReply {
                reply_id,
                attempt,
                reason,
            } => replies::settle(not_erased(self)?, *reply_id, *attempt, || {
                ConversationEvent::ReplyFailed {
                    reply_id: *reply_id,
                    attempt: *attempt,
                    reason: reason.clone(),
                }
            }),
            ConversationCommand::RecordPartialReply {
                reply_id,
                attempt,
                text,
            } => replies::record_part(not_erased(self)?, *reply_id, *attempt, text),
            ConversationCommand::EraseConversation { account_id } => {
                filing::erase(owned(self, *account_id)?)
            }
        }
    }
}

fn start(
    conversation: &Conversation,
    account_id: Uuid,
    copilot: Copilot,
    goal: Option<&Goal>,
    plan_id: Option<Uuid>,
) -> Decision {
    if not_erased(conversation)?.owner().is_some() {
        return Err(ConversationRefusal::AlreadyStarted);
    }
    Ok(vec![ConversationEvent::ConversationStarted {
        account_id,
        copilot,
        goal: goal.cloned().map(|goal| Private::new(goal.into())),
        plan_id,
    }])
}

/// The conversation, if it is `account_id`'s, be it erased or not.
fn owned(
    conversation: &Conversation,
    account_id: Uuid,
) -> Result<&Conversation, ConversationRefusal> {
    match conversation.owner() {
        Some(owner) if owner == account_id => Ok(conversation),
        Some(_) | None => Err(ConversationRefusal::NotFound),
    }
}

/// The conversation, unless its content is gone.
fn not_erased(conversation: &Conversation) -> Result<&Conversation, ConversationRefusal> {
    if conversation.is_erased() {
        return Err(ConversationRefusal::NotFound);
    }
    Ok(conversation)
}

/// The conversation, if it is `account_id`'s and its content is there.
fn readable(
    conversation: &Conversation,
    account_id: Uuid,
) -> Result<&Conversation, ConversationRefusal> {
    not_erased(owned(conversation, account_id)?)
}

/// The same, if it is not put away either.
fn in_use(
    conversation: &Conversation,
    account_id: Uuid,
) -> Result<&Conversation, ConversationRefusal> {
    let conversation = readable(conversation, account_id)?;
    if conversation.is_archived() {
        return Err(ConversationRefusal::Archived);
    }
    Ok(conversation)
}

/// How long a text is.
fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
