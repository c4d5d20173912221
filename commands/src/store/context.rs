//! Who asks, and why: what every command is issued with.

use fido_domain::{Actor, Metadata, Position, Private, Recorded};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::ambient;
use crate::append::{Claim, Receipt};

/// Who asks, why, and what must be unique because of it.
#[derive(Debug, Clone)]
pub struct CommandContext {
    /// This command; asking again with the same id has no second effect.
    pub command_id: Uuid,
    /// Who acts.
    pub actor: Actor,
    /// Whose data the events will be.
    pub subject: Uuid,
    /// The request at the root of the chain.
    pub correlation_id: Uuid,
    /// The event that led to this command, if one did.
    pub causation_id: Option<Position>,
    /// The HTTP request, if one did.
    pub request_id: Option<String>,
    /// Where the request came from.
    pub address: Option<Private<String>>,
    /// What the device said it was.
    pub user_agent: Option<Private<String>>,
    /// When it was issued.
    pub issued_at: OffsetDateTime,
    /// For model output: which model wrote it.
    pub model: Option<String>,
    /// For model output: which provider ran the model.
    pub provider: Option<String>,
    /// For model output: keyed hash of the prompt.
    pub prompt_hash: Option<String>,
    /// The sequence at which whoever asks has seen the stream, as in `If-Match`: where something would
    /// change and the stream is elsewhere, nothing does.
    pub expected: Option<i64>,
    /// Values to take or give back together with the events.
    pub claims: Vec<Claim>,
    /// For a request with an `Idempotency-Key`: what is written down of it.
    pub receipt: Option<Receipt>,
}

/// The request that a command came with.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// As in `X-Request-Id`.
    pub request_id: Option<String>,
    /// The IP address of whoever asked.
    pub address: Option<String>,
    /// As in `User-Agent`.
    pub user_agent: Option<String>,
    /// What is written down of a request with an `Idempotency-Key`.
    pub receipt: Option<Receipt>,
}

impl Origin {
    /// A command that this request is: `actor` acts on the data of `subject`, now.
    pub fn command(&self, actor: Actor, subject: Uuid) -> CommandContext {
        CommandContext {
            request_id: self.request_id.clone(),
            address: self.address.clone().map(Private::new),
            user_agent: self.user_agent.clone().map(Private::new),
            receipt: self.receipt.clone(),
            ..CommandContext::new(actor, subject)
        }
    }
}

impl CommandContext {
    /// A command that begins a chain: `actor` acts on the data of `subject`, now.
    pub fn new(actor: Actor, subject: Uuid) -> Self {
        let command_id = ambient::new_id();
        Self {
            command_id,
            actor,
            subject,
            correlation_id: command_id,
            causation_id: None,
            request_id: None,
            address: None,
            user_agent: None,
            issued_at: ambient::now(),
            model: None,
            provider: None,
            prompt_hash: None,
            expected: None,
            claims: Vec::new(),
            receipt: None,
        }
    }

    /// A command that part `part` of Fido issues because of `cause`, for the same subject.
    pub fn because_of(cause: &Recorded, metadata: &Metadata, part: &str) -> Self {
        Self {
            correlation_id: metadata.correlation_id,
            causation_id: Some(cause.position),
            ..Self::new(Actor::system(part), metadata.subject)
        }
    }

    pub(super) fn metadata(&self) -> Metadata {
        Metadata {
            actor: self.actor.clone(),
            subject: self.subject,
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            request_id: self.request_id.clone(),
            address: self.address.clone(),
            user_agent: self.user_agent.clone(),
            issued_at: self.issued_at,
            model: self.model.clone(),
            provider: self.provider.clone(),
            prompt_hash: self.prompt_hash.clone(),
        }
    }
}
