//! The server's end of one connection, and which calls it has not answered in full.

use std::collections::VecDeque;
use std::io::Result;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use super::Shared;
use super::wire::{self, Messages};

/// One PostgreSQL backend.
pub(super) struct Backend {
    server: UnixStream,
    from_server: Messages,
    pid: Option<i32>,
    /// How often it was asked for a ReadyForQuery; the start of the session is the first time.
    asked: u64,
    /// How often it has said so.
    ready: u64,
    /// For each call that is not answered, which ReadyForQuery will be its end.
    calls: VecDeque<u64>,
    shared: Arc<Shared>,
}

impl Backend {
    pub(super) fn new(server: UnixStream, shared: Arc<Shared>) -> Self {
        Self {
            server,
            from_server: Messages::of_the_server(),
            pid: None,
            asked: 1,
            ready: 0,
            calls: VecDeque::new(),
            shared,
        }
    }

    /// Passes on what is no part of a call.
    pub(super) async fn pass_on(&mut self, message: &[u8]) -> Result<()> {
        // The first message begins with its length, the first byte of which is no letter.
        self.asked += u64::from(wire::ends_a_call(message[0]));
        self.send(message).await
    }

    /// From here on, one more call counts as not answered.
    pub(super) fn expect_an_answer(&mut self) {
        self.asked += 1;
        self.calls.push_back(self.asked);
        self.shared
            .progress
            .send_modify(|progress| progress.open += 1);
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.server.write_all(bytes).await
    }

    /// Sends a call that is expected, and reads the answer to its end.
    pub(super) async fn execute(&mut self, call: &[u8]) -> Result<()> {
        self.send(call).await?;
        while self.ready < self.asked && self.next().await?.is_some() {}
        Ok(())
    }

    /// What the server says next; none when it hangs up. Loses nothing when dropped.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let message = self.from_server.next(&mut self.server).await?;
        match message.as_deref() {
            Some(message @ [wire::BACKEND_KEY_DATA, ..]) => {
                self.pid = Some(wire::backend_pid(message));
            }
            Some([wire::READY_FOR_QUERY, ..]) => {
                self.ready += 1;
                self.is_ready();
            }
            Some(_) | None => {}
        }
        Ok(message)
    }

    fn is_ready(&mut self) {
        if self.calls.front() == Some(&self.ready) {
            self.calls.pop_front();
            self.shared.progress.send_modify(|progress| {
                progress.open -= 1;
                progress.answered += 1;
            });
        }
    }
}

impl Drop for Backend {
    /// The server may still be at work on what was sent and not answered.
    fn drop(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        self.shared
            .left_at_work
            .lock()
            .unwrap()
            .extend(self.pid.take());
        self.shared
            .progress
            .send_modify(|progress| progress.open -= self.calls.len());
    }
}
