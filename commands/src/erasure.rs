//! Erasing what belongs to a person: first an event, then the key.

/// The stored name of the event after which an account's content is gone.
pub const ACCOUNT_ERASED: &str = "account_erased";
/// The stored name of the event after which a conversation's content is gone.
pub const CONVERSATION_ERASED: &str = "conversation_erased";
