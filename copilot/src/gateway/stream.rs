//! A reply as it arrives: text piece by piece, then how it ended. An end without a reason is a
//! failure, not an answer.

use async_openai::types::chat::{
    self as wire, ChatCompletionResponseStream, CreateChatCompletionStreamResponse,
};
use fido_domain::Private;
use fido_domain::conversation::Usage;
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::{GatewayError, Timeouts, Wait};

/// How many bytes make a token, roughly, in English.
const BYTES_PER_TOKEN: usize = 4;

/// The next part of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Some more text, never empty.
    Text(Private<String>),
    /// The text is whole. Nothing follows.
    Finished(Finished),
}

/// How a reply ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Why the model stopped.
    pub reason: FinishReason,
    /// What the reply used.
    pub usage: Usage,
    /// Whether `usage` is our estimate, because the provider did not report any.
    pub usage_estimated: bool,
    /// The model that wrote, as the provider names it.
    pub model: String,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It had said everything.
    Stop,
    /// It ran into the limit of tokens.
    Length,
    /// The provider held back the rest.
    ContentFilter,
}

/// A reply on its way. Dropping it stops the provider.
///
/// Reads only when asked to and keeps nothing back. What a slow reader leaves waiting is
/// bounded by the tokens that the prompt allows and by the total timeout.
pub struct ReplyStream {
    /// None once the reply is over, in whichever way.
    chunks: Option<ChatCompletionResponseStream>,
    patience: Patience,
    model: String,
    prompt_bytes: usize,
    text_bytes: usize,
    reason: Option<FinishReason>,
    usage: Option<Usage>,
}

impl ReplyStream {
    pub(super) fn new(
        chunks: ChatCompletionResponseStream,
        patience: Patience,
        model: String,
        prompt_bytes: usize,
    ) -> Self {
        Self {
            chunks: Some(chunks),
            patience,
            model,
            prompt_bytes,
            text_bytes: 0,
            reason: None,
            usage: None,
        }
    }

    /// The next piece; none after [`Piece::Finished`] or an error. May be cancelled and called
    /// again without losing a piece.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn next(&mut self) -> Result<Option<Piece>, GatewayError> {
        while self.chunks.is_some() {
            match self.read().await {
                Ok(Some(chunk)) => {
                    if let Some(text) = self.take(chunk) {
                        return Ok(Some(Piece::Text(Private::new(text))));
                    }
                }
                Ok(None) => {
                    self.chunks = None;
                    return self.finish().map(Some);
                }
                // Once the model has said why it stopped, the text is whole, and a connection
                // that breaks or hangs afterwards takes nothing from it but the usage.
                Err(error) => {
                    self.chunks = None;
                    return self.finish().map(Some).map_err(|_truncated| error);
                }
            }
        }
        Ok(None)
    }

    async fn read(&mut self) -> Result<Option<CreateChatCompletionStreamResponse>, GatewayError> {
        let Some(chunks) = &mut self.chunks else {
            return Ok(None);
        };
        let (deadline, wait) = self.patience.deadline();
        let chunk = timeout_at(deadline, chunks.next())
            .await
            .map_err(|_elapsed| GatewayError::Timeout(wait))?;
        Ok(chunk.transpose()?)
    }

    /// Notes what a chunk says, and returns its text.
    fn take(&mut self, chunk: CreateChatCompletionStreamResponse) -> Option<String> {
        if !chunk.model.is_empty() {
            self.model = chunk.model;
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(Usage {
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
            });
        }
        let choice = chunk.choices.into_iter().next();
        if let Some(reason) = choice.as_ref().and_then(|choice| choice.finish_reason) {
            self.reason = Some(reason.into());
        }
        let text = choice
            .and_then(|choice| choice.delta.content.or(choice.delta.refusal))
            .filter(|text| !text.is_empty());
        self.text_bytes += text.as_ref().map_or(0, String::len);
        if self.text_bytes > 0 {
            self.patience.renew(Instant::now());
        }
        text
    }

    fn finish(&mut self) -> Result<Piece, GatewayError> {
        let reason = self.reason.ok_or(GatewayError::Truncated)?;
        if self.text_bytes == 0 {
            return Err(GatewayError::Empty);
        }
        Ok(Piece::Finished(Finished {
            reason,
            usage: self.usage.unwrap_or_else(|| self.estimate()),
            usage_estimated: self.usage.is_none(),
            model: self.model.clone(),
        }))
    }

    fn estimate(&self) -> Usage {
        let tokens =
            |bytes: usize| u32::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u32::MAX);
        Usage {
            input_tokens: tokens(self.prompt_bytes),
            output_tokens: tokens(self.text_bytes),
        }
    }
}

impl From<wire::FinishReason> for FinishReason {
    fn from(reason: wire::FinishReason) -> Self {
        match reason {
            // No tools are offered, so that a call for one is just where the text ends.
            wire::FinishReason::Stop
            | wire::FinishReason::ToolCalls
            | wire::FinishReason::FunctionCall => Self::Stop,
            wire::FinishReason::Length => Self::Length,
            wire::FinishReason::ContentFilter => Self::ContentFilter,
        }
    }
}

/// Until when we wait, and for what. Plain instants, so that a wait can be cancelled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    timeouts: Timeouts,
    next: (Instant, Wait),
    end: Instant,
}

impl Patience {
    pub(super) fn starting(now: Instant, timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            next: (now + timeouts.first_token, Wait::FirstToken),
            end: now + timeouts.total,
        }
    }

    /// Text is flowing: from now on, only its pauses count.
    fn renew(&mut self, now: Instant) {
        self.next = (now + self.timeouts.between_tokens, Wait::NextToken);
    }

    /// What runs out first.
    pub(super) fn deadline(&self) -> (Instant, Wait) {
        if self.end < self.next.0 {
            (self.end, Wait::WholeReply)
        } else {
            self.next
        }
    }
}
