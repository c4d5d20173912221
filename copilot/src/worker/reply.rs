//! One reply, from the request to the recorded outcome.

use std::collections::HashSet;
use std::time::Duration;

use fido_commands::conversation::{ConversationCommand, ConversationRefusal};
use fido_commands::vault::{StreamId, VaultError};
use fido_commands::{CommandContext, ExecuteError, ambient};
use fido_domain::conversation::{Conversation, ConversationEvent, Copilot};
use fido_domain::{Evolve, Metadata, Position, Recorded};
use fido_nats::live::LiveEvent;
use fido_projections::ReadError;
use fido_projections::conversation::{Order, one, transcript};
use uuid::Uuid;

use super::tokens::Tokens;
use super::{Desk, Verdict};
use crate::copilots::system_prompt;
use crate::gateway::{Finished, GatewayError, Piece, Prompt, ReplyStream, Turn};

/// How much of the conversation the model gets to read.
const TURNS: i64 = 40;
/// The longest reply, in the provider's tokens.
const MAX_TOKENS: u32 = 2_000;
/// Workers that may begin one reply before it is given up.
const ATTEMPTS: u32 = 4;
/// The pause before the second attempt; doubles from attempt to attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// A reply that this worker has begun.
struct Begun {
    conversation_id: Uuid,
    reply_id: Uuid,
    account_id: Uuid,
    copilot: Copilot,
    attempt: u32,
}

/// Why a begun reply has no text, or only a part of one.
enum Failure {
    Unwanted,
    Model(GatewayError),
    Read(ReadError),
    Vault(VaultError),
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self::Model(error)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

type Refused = ExecuteError<ConversationRefusal>;

impl Desk {
    /// Writes the reply that `request` asks for.
    pub(super) async fn reply(&self, request: &Recorded) -> Verdict {
        let (metadata, event) = match (request.metadata(), request.event()) {
            (Ok(metadata), Ok(event)) => (metadata, event),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(error = %error, "a request for a reply needs a newer build");
                return Verdict::Again(Duration::from_secs(30));
            }
        };
        let ConversationEvent::ReplyRequested {
            reply_id, copilot, ..
        } = event
        else {
            return Verdict::Settled;
        };
        // From before it is begun: a cancel from then on is heard, and one before that is refused.
        let unwanted = self.stops.of(reply_id);
        let context = CommandContext::because_of(request, &metadata, "copilot");
        let begun = match self
            .begin(request, &metadata, reply_id, copilot, &context)
            .await
        {
            Ok(begun) => begun,
            Err(refused) => return verdict_on(&refused, reply_id),
        };
        let mut tokens = Tokens::default();
        let written = tokio::select! {
            written = self.write(request, &begun, &mut tokens) => written,
            () = unwanted => Err(Failure::Unwanted),
        };
        let text = tokens.into_text();
        match written {
            Ok(finished) => {
                self.record(&begun, &metadata, request, text, finished)
                    .await
            }
            Err(Failure::Unwanted) => self.keep(&begun, text, &context).await,
            Err(failure) => self.fail(&begun, &metadata, request, failure, text).await,
        }
    }

    /// Makes this worker the one whose tokens and outcome count.
    async fn begin(
        &self,
        request: &Recorded,
        metadata: &Metadata,
        reply_id: Uuid,
        copilot: Copilot,
        context: &CommandContext,
    ) -> Result<Begun, Refused> {
        let command = ConversationCommand::StartReply { reply_id };
        let committed = self
            .store
            .execute::<Conversation>(request.aggregate_id, command, context)
            .await?;
        let attempt = committed
            .events
            .iter()
            .find_map(|(event, _)| match event {
                ConversationEvent::ReplyStarted { attempt, .. } => Some(*attempt),
                ConversationEvent::ConversationStarted { .. }
                | ConversationEvent::ConversationTitled { .. }
                | ConversationEvent::MessagePosted { .. }
                | ConversationEvent::ReplyRequested { .. }
                | ConversationEvent::ReplyCompleted { .. }
                | ConversationEvent::ReplyFailed { .. }
                | ConversationEvent::ReplyCancelled { .. }
                | ConversationEvent::PartialReplyRecorded { .. }
                | ConversationEvent::ReplyRated { .. }
                | ConversationEvent::ConversationArchived {}
                | ConversationEvent::ConversationRestored {}
                | ConversationEvent::ConversationErased {} => None,
            })
            .unwrap_or(1);
        let begun = Begun {
            conversation_id: request.aggregate_id,
            reply_id,
            account_id: metadata.subject,
            copilot,
            attempt,
        };
        tracing::info!(reply.id = %reply_id, attempt, "writing a reply");
        Ok(begun)
    }

    /// Lets the model write, and shows the text as it comes.
    async fn write(
        &self,
        request: &Recorded,
        begun: &Begun,
        tokens: &mut Tokens,
    ) -> Result<Finished, Failure> {
        if begun.attempt > 1 {
            let restarted = LiveEvent::Restarted {
                conversation_id: begun.conversation_id,
                reply_id: begun.reply_id,
                attempt: begun.attempt,
            };
            self.show(begun, &restarted).await;
        }
        let prompt = self.prompt(request.position, begun).await?;
        let reply = self.gateway.reply(prompt).await?;
        self.stream(begun, reply, tokens).await
    }

    /// The co-pilot's instructions and what has been said up to `position`, or later.
    async fn prompt(&self, position: Position, begun: &Begun) -> Result<Prompt, Failure> {
        let (account, id) = (begun.account_id, begun.conversation_id);
        let query = |mut snapshot| async move {
            let conversation = one(&mut snapshot, account, id).await?;
            let said = transcript(&mut snapshot, id, Order::Newest, None, TURNS).await?;
            Ok((conversation, said))
        };
        let (_, (conversation, mut said)) = self.replicas.ask(Some(position), query).await?;
        let mut goal = conversation.and_then(|conversation| conversation.goal);
        said.reverse();
        let texts = said.iter_mut().filter_map(|message| message.text.as_mut());
        let sealed = texts.chain(goal.as_mut());
        let stream = StreamId::new(Conversation::TYPE, id);
        let vault = self.store.vault();
        vault
            .open_all(sealed.map(|content| (stream.clone(), content)).collect())
            .await?;
        let mut system = system_prompt(begun.copilot).to_owned();
        if let Some(goal) = &goal {
            system.push_str("\n\nWhat the person wants to achieve: ");
            system.push_str(goal.shown());
        }
        let replaced: HashSet<Uuid> = said.iter().filter_map(|message| message.replaces).collect();
        let turns = said
            .iter()
            .filter(|message| message.status == "complete")
            .filter(|message| !replaced.contains(&message.message_id))
            .filter_map(|message| {
                let text = message.text.as_ref()?.shown();
                Some(match message.role.as_str() {
                    "user" => Turn::user(text),
                    _ => Turn::assistant(text),
                })
            })
            .collect();
        Ok(Prompt {
            system: system.into(),
            turns,
            max_tokens: MAX_TOKENS,
        })
    }

    async fn stream(
        &self,
        begun: &Begun,
        mut reply: ReplyStream,
        tokens: &mut Tokens,
    ) -> Result<Finished, Failure> {
        loop {
            let piece = tokio::select! {
                piece = reply.next() => piece?,
                () = tokens.due() => {
                    self.flush(begun, tokens).await;
                    continue;
                }
            };
            match piece {
                Some(Piece::Text(text)) => {
                    if tokens.push(text.shown()) {
                        self.flush(begun, tokens).await;
                    }
                }
                Some(Piece::Finished(finished)) => {
                    self.flush(begun, tokens).await;
                    return Ok(finished);
                }
                None => return Err(GatewayError::Truncated.into()),
            }
        }
    }

    async fn flush(&self, begun: &Begun, tokens: &mut Tokens) {
        if let Some((n, text)) = tokens.take() {
            let delta = LiveEvent::Delta {
                conversation_id: begun.conversation_id,
                reply_id: begun.reply_id,
                attempt: begun.attempt,
                n,
                text: text.into(),
            };
            self.show(begun, &delta).await;
        }
    }

    /// Tokens that nobody gets to see do no harm: the whole text comes as an event.
    async fn show(&self, begun: &Begun, event: &LiveEvent) {
        if let Err(error) = self.nats.publish_live(begun.account_id, event).await {
            tracing::debug!(reply.id = %begun.reply_id, error = %error, "tokens were not shown");
        }
    }

    async fn record(
        &self,
        begun: &Begun,
        metadata: &Metadata,
        request: &Recorded,
        text: String,
        finished: Finished,
    ) -> Verdict {
        let mut context = CommandContext::because_of(request, metadata, "copilot");
        tracing::info!(
            reply.id = %begun.reply_id,
            attempt = begun.attempt,
            duration_ms = u64::try_from((context.issued_at - metadata.issued_at).whole_milliseconds()).unwrap_or(0),
            usage.output_tokens = finished.usage.output_tokens,
            "wrote a reply"
        );
        context.model = Some(finished.model.clone());
        let command = ConversationCommand::RecordReply {
            reply_id: begun.reply_id,
            attempt: begun.attempt,
            text,
            model: finished.model,
            usage: finished.usage,
        };
        self.settle(begun, command, &context).await
    }

    /// Another attempt when that may help, and otherwise an end that the person sees.
    async fn fail(
        &self,
        begun: &Begun,
        metadata: &Metadata,
        request: &Recorded,
        failure: Failure,
        text: String,
    ) -> Verdict {
        let (code, retryable, error) = match &failure {
            Failure::Unwanted => ("cancelled", false, "nobody wants it".to_owned()),
            Failure::Model(error) => (error.code(), error.is_retryable(), error.to_string()),
            Failure::Read(error) => ("replica_unavailable", true, error.to_string()),
            Failure::Vault(error) => ("vault_unavailable", true, error.to_string()),
        };
        tracing::warn!(
            reply.id = %begun.reply_id,
            attempt = begun.attempt,
            code,
            error,
            "an attempt at a reply failed"
        );
        if retryable && begun.attempt < ATTEMPTS {
            return Verdict::Again(FIRST_PAUSE * 2_u32.pow(begun.attempt - 1));
        }
        let context = CommandContext::because_of(request, metadata, "copilot");
        let command = ConversationCommand::FailReply {
            reply_id: begun.reply_id,
            attempt: begun.attempt,
            reason: code.to_owned(),
        };
        match self.settle(begun, command, &context).await {
            Verdict::Settled => self.keep(begun, text, &context).await,
            unsettled @ (Verdict::Again(_) | Verdict::Superseded) => unsettled,
        }
    }

    /// Keeps the part of a reply that was written before it broke off.
    async fn keep(&self, begun: &Begun, text: String, context: &CommandContext) -> Verdict {
        if text.is_empty() {
            return Verdict::Settled;
        }
        let command = ConversationCommand::RecordPartialReply {
            reply_id: begun.reply_id,
            attempt: begun.attempt,
            text,
        };
        let context = CommandContext {
            command_id: ambient::new_id(),
            ..context.clone()
        };
        self.settle(begun, command, &context).await
    }

    async fn settle(
        &self,
        begun: &Begun,
        command: ConversationCommand,
        context: &CommandContext,
    ) -> Verdict {
        let settled = self
            .store
            .execute::<Conversation>(begun.conversation_id, command, context)
            .await;
        match settled {
            Ok(_) => Verdict::Settled,
            Err(refused) => verdict_on(&refused, begun.reply_id),
        }
    }
}

/// What a command that did not go through means for the request.
fn verdict_on(refused: &Refused, reply_id: Uuid) -> Verdict {
    match refused {
        ExecuteError::Refused(ConversationRefusal::Superseded { .. }) => Verdict::Superseded,
        // It was said to be cancelled and is awaited still.
        ExecuteError::Refused(ConversationRefusal::ReplyInProgress { .. }) => {
            Verdict::Again(Duration::ZERO)
        }
        // Completed, failed, cancelled, erased, or never asked for: nobody waits.
        ExecuteError::Refused(
            ConversationRefusal::ReplyNotOpen
            | ConversationRefusal::NotFound
            | ConversationRefusal::AlreadyStarted
            | ConversationRefusal::Archived
            | ConversationRefusal::NoSuchReply
            | ConversationRefusal::ReplyNotLast
            | ConversationRefusal::NothingToRate,
        )
        | ExecuteError::Erased { .. } => Verdict::Settled,
        ExecuteError::ClaimTaken { .. }
        | ExecuteError::Stale { .. }
        | ExecuteError::KeyReused
        | ExecuteError::Contended { .. }
        | ExecuteError::Overloaded
        | ExecuteError::Diverged { .. }
        | ExecuteError::Unavailable(_)
        | ExecuteError::Corrupt { .. } => {
            tracing::warn!(
                reply.id = %reply_id,
                error = %refused,
                source = std::error::Error::source(refused).map(ToString::to_string),
                "a reply could not be recorded; somebody tries again"
            );
            Verdict::Again(Duration::from_secs(1))
        }
    }
}
