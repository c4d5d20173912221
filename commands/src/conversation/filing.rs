//! What becomes of a conversation as a whole: its name, whether it is put away, its erasure.

use fido_domain::Private;
use fido_domain::conversation::{Conversation, ConversationEvent, ConversationTitle};

use super::Decision;

/// Names the conversation, puts it away or takes it out again; what is so already is no event.
pub(super) fn file(
    conversation: &Conversation,
    title: Option<&ConversationTitle>,
    archived: Option<bool>,
) -> Decision {
    let titled = title
        .filter(|title| !conversation.is_called(title.as_str()))
        .map(|title| ConversationEvent::ConversationTitled {
            title: Private::new(title.as_str().to_owned()),
        });
    let moved = archived
        .filter(|archived| *archived != conversation.is_archived())
        .map(|archived| {
            if archived {
                ConversationEvent::ConversationArchived {}
            } else {
                ConversationEvent::ConversationRestored {}
            }
        });
    Ok(titled.into_iter().chain(moved).collect())
}

/// Erases the content, and with it the wait for a reply.
pub(super) fn erase(conversation: &Conversation) -> Decision {
    if conversation.is_erased() {
        return Ok(Vec::new());
    }
    Ok(vec![ConversationEvent::ConversationErased {}])
}
