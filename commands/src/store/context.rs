//! Who asks, and why: what every command is issued with.

use fido_domain::{Actor, Metadata, Position, Recorded};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::ambient;
use crate::append::Claim;

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
    /// When it was issued.
    pub issued_at: OffsetDateTime,
    /// For model output: which model wrote it.
    pub model: Option<String>,
    /// Values to take or give back together with the events.
    pub claims: Vec<Claim>,
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
            issued_at: ambient::now(),
            model: None,
            claims: Vec::new(),
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
            issued_at: self.issued_at,
            model: self.model.clone(),
            provider: None,
            prompt_hash: None,
        }
    }
}
