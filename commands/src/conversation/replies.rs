//! Asking for replies, writing them, and what a person makes of one: one reply at a time, each ended
//! once, and only by the worker of the current attempt or by the person.

use fido_domain::conversation::{
    Conversation, ConversationEvent, MessageText, OpenReply, Rating, RatingComment, ReplyEnd,
    ReplyState,
};
use fido_domain::{Imprint, Private};
use uuid::Uuid;

use super::{ConversationRefusal, Decision, characters};

pub(super) fn post(
    conversation: &Conversation,
    message_id: Uuid,
    reply_id: Uuid,
    text: &MessageText,
) -> Decision {
    let posted = ConversationEvent::MessagePosted {
        message_id,
        characters: text.characters(),
        text: Private::new(text.as_str().to_owned()),
    };
    Ok(vec![
        posted,
        request(conversation, message_id, reply_id, None)?,
    ])
}

/// Asks for another reply in place of the last one, however that has ended.
pub(super) fn regenerate(
    conversation: &Conversation,
    reply_id: Uuid,
    new_reply_id: Uuid,
) -> Decision {
    let message_id = known(conversation, reply_id)?.message_id;
    let requested = request(conversation, message_id, new_reply_id, Some(reply_id))?;
    if conversation.last_reply() != Some(reply_id) {
        return Err(ConversationRefusal::ReplyNotLast);
    }
    Ok(vec![requested])
}

fn request(
    conversation: &Conversation,
    message_id: Uuid,
    reply_id: Uuid,
    replaces: Option<Uuid>,
) -> Result<ConversationEvent, ConversationRefusal> {
    if let Some(OpenReply { reply_id, .. }) = conversation.open_reply() {
        return Err(ConversationRefusal::ReplyInProgress { reply_id });
    }
    Ok(ConversationEvent::ReplyRequested {
        reply_id,
        message_id,
        copilot: conversation
            .copilot()
            .ok_or(ConversationRefusal::NotFound)?,
        replaces,
    })
}

/// Ends the wait for a reply; one that has ended already stays as it is.
pub(super) fn cancel(conversation: &Conversation, reply_id: Uuid) -> Decision {
    if known(conversation, reply_id)?.end.is_some() {
        return Ok(Vec::new());
    }
    let attempt = awaited(conversation, reply_id)?.attempt;
    Ok(vec![ConversationEvent::ReplyCancelled {
        reply_id,
        attempt,
    }])
}

pub(super) fn rate(
    conversation: &Conversation,
    reply_id: Uuid,
    rating: Rating,
    comment: Option<&RatingComment>,
) -> Decision {
    let reply = known(conversation, reply_id)?;
    if !reply.has_text {
        return Err(ConversationRefusal::NothingToRate);
    }
    let is_said = |(known, about): &(Rating, Option<Imprint>)| {
        *known == rating
            && match (about, comment) {
                (None, None) => true,
                (Some(about), Some(comment)) => about.is_of(comment.as_str()),
                (Some(_), None) | (None, Some(_)) => false,
            }
    };
    if reply.rating.as_ref().is_some_and(is_said) {
        return Ok(Vec::new());
    }
    Ok(vec![ConversationEvent::ReplyRated {
        reply_id,
        rating,
        comment: comment.map(|comment| Private::new(comment.as_str().to_owned())),
    }])
}

pub(super) fn start(conversation: &Conversation, reply_id: Uuid) -> Decision {
    let open = awaited(conversation, reply_id)?;
    Ok(vec![ConversationEvent::ReplyStarted {
        reply_id,
        attempt: open.attempt + 1,
    }])
}

/// Ends a reply once: asking again for a reply that has ended changes nothing, and only the worker
/// of the current attempt may end it.
pub(super) fn settle(
    conversation: &Conversation,
    reply_id: Uuid,
    attempt: u32,
    event: impl FnOnce() -> ConversationEvent,
) -> Decision {
    if conversation.has_settled(reply_id) {
        return Ok(Vec::new());
    }
    let current = awaited(conversation, reply_id)?.attempt;
    of_attempt(attempt, current)?;
    Ok(vec![event()])
}

/// Keeps what the last attempt at a reply had brought when it failed or was cancelled.
pub(super) fn record_part(
    conversation: &Conversation,
    reply_id: Uuid,
    attempt: u32,
    text: &str,
) -> Decision {
    let reply = known(conversation, reply_id)?;
    let Some((end, last)) = reply.end else {
        return Err(ConversationRefusal::ReplyInProgress { reply_id });
    };
    if reply.has_text || end == ReplyEnd::Completed || text.is_empty() {
        return Ok(Vec::new());
    }
    of_attempt(attempt, last)?;
    Ok(vec![ConversationEvent::PartialReplyRecorded {
        reply_id,
        attempt,
        characters: characters(text),
        text: Private::new(text.to_owned()),
    }])
}

fn known(conversation: &Conversation, reply_id: Uuid) -> Result<&ReplyState, ConversationRefusal> {
    conversation
        .reply(reply_id)
        .ok_or(ConversationRefusal::NoSuchReply)
}

fn awaited(conversation: &Conversation, reply_id: Uuid) -> Result<OpenReply, ConversationRefusal> {
    conversation
        .open_reply()
        .filter(|open| open.reply_id == reply_id)
        .ok_or(ConversationRefusal::ReplyNotOpen)
}

fn of_attempt(attempt: u32, current: u32) -> Result<(), ConversationRefusal> {
    if attempt != current {
        return Err(ConversationRefusal::Superseded { attempt, current });
    }
    Ok(())
}
