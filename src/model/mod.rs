//! The offline model: a small server that speaks OpenAI's chat-completions protocol, so that
//! Fido works without a key and every test runs the real client over real HTTP.

mod http;
mod pace;
mod protocol;
mod tokens;
mod writer;

use std::io;
use std::net::SocketAddr;

use futures::FutureExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The only model that is served.
pub const NAME: &str = "fido-offline";

/// How fast the offline model writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Pause before the first token, in milliseconds.
    pub first_token_ms: u64,
    /// Tokens written per second; 0 writes without any pause.
    pub tokens_per_second: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            first_token_ms: 200,
            tokens_per_second: 60,
        }
    }
}

/// The offline model.
#[derive(Debug)]
pub struct OfflineModel;

impl OfflineModel {
    /// Listens at `address` (port 0 takes any free one), and returns the address that it got
    /// and the server itself, which runs until `shutdown`. Anybody who reaches the address may
    /// use it, so it should be one of the loopback.
    ///
    /// Answers that are being written at the shutdown are not cut off: what is left of them is
    /// sent at once.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(
        address: SocketAddr,
        options: Options,
        shutdown: CancellationToken,
    ) -> io::Result<(SocketAddr, impl Future<Output = ()> + Send + 'static)> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let router = http::router(options, shutdown.clone());
        let server =
            axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned());
        // axum promises that this never ends in an error: it waits until accepting works again.
        let served = server.into_future().map(drop);
        Ok((address, served))
    }
}
