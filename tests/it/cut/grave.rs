//! What answers in place of the server when a process is dead and its appender does not know it: a
//! thread cannot be killed, but it can be told no. Every statement is refused, so that it ends.

use std::io::Result;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use super::wire::{self, Messages};

/// AuthenticationOk, then ReadyForQuery.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
/// ErrorResponse with severity, code and message: `check_violation`, for which nobody tries again.
const NO: &[u8] = b"E\0\0\0\x27SERROR\0C23514\0Mthe sender is dead\0\0";
const READY: &[u8] = b"Z\0\0\0\x05I";

/// Refuses whatever `client` says, until it hangs up.
pub(super) async fn refuse(mut client: UnixStream) -> Result<()> {
    let mut messages = Messages::of_the_client();
    let mut started = false;
    while let Some(message) = messages.next(&mut client).await? {
        if !started {
            started = true;
            client.write_all(WELCOME).await?;
        } else if wire::ends_a_call(message[0]) {
            client.write_all(NO).await?;
            client.write_all(READY).await?;
        }
    }
    Ok(())
}
