//! The one door to model providers: streams a reply from any OpenAI-compatible endpoint.
//! Nothing outside this folder knows async-openai.
//!
//! async-openai writes whatever it cannot deserialize to its log, and that may be a person's
//! words. The process must therefore silence [`SILENCED_LOG_TARGET`] in its tracing filter.

mod config;
mod error;
mod prompt;
mod refusal;
mod stream;
mod transport;

pub use config::{ApiKey, GatewayConfig, Timeouts};
pub use error::{GatewayError, Reason, Wait};
pub use prompt::{Prompt, Role, Turn};
pub use stream::{FinishReason, Finished, Piece, ReplyStream};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use tokio::time::{Instant, timeout_at};

use stream::Patience;

/// The tracing target that carries content: turn it off, for example with `async_openai=off`.
pub const SILENCED_LOG_TARGET: &str = "async_openai";

/// One model at one provider, behind one shared connection pool. Cheap to clone.
///
/// A call is made once: nothing in here retries.
#[derive(Clone, Debug)]
pub struct Gateway {
    client: Client<OpenAIConfig>,
    model: String,
    timeouts: Timeouts,
}

impl Gateway {
    /// Prepares the connection pool; connects to nothing yet.
    ///
    /// The process must have installed a rustls crypto provider.
    ///
    /// # Errors
    /// [`GatewayError::Misconfigured`] when the base URL is not an HTTP URL or TLS cannot be
    /// set up.
    pub fn new(config: GatewayConfig) -> Result<Self, GatewayError> {
        Ok(Self {
            client: transport::client(&config)?,
            model: config.model,
            timeouts: config.timeouts,
        })
    }

    /// Asks for a reply and returns once the provider has begun to answer.
    ///
    /// # Errors
    /// See [`GatewayError`]; the stream that is returned can still fail with the same type.
    pub async fn reply(&self, prompt: Prompt) -> Result<ReplyStream, GatewayError> {
        let patience = Patience::starting(Instant::now(), self.timeouts);
        let prompt_bytes = prompt.bytes();
        let request = prompt.into_request(self.model.clone());

        let (deadline, wait) = patience.deadline();
        let chunks = timeout_at(deadline, self.client.chat().create_stream(request))
            .await
            .map_err(|_elapsed| GatewayError::Timeout(wait))??;
        Ok(ReplyStream::new(
            chunks,
            patience,
            self.model.clone(),
            prompt_bytes,
        ))
    }
}
