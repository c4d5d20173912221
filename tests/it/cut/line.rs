//! One connection through the proxy: carries messages both ways until somebody hangs up or a fault
//! that was armed strikes.

use std::io::Result;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use super::backend::Backend;
use super::wire::{self, Messages, Part, Statements};
use super::{Arrival, Fault, Shared};

/// A client and its backend.
pub(super) struct Line {
    client: UnixStream,
    from_client: Messages,
    statements: Statements,
    backend: Backend,
    shared: Arc<Shared>,
}

/// Why a line has ended.
enum End {
    HungUp,
    Late(Late),
}

/// A call to be delivered when so many calls have arrived, or so many were answered.
struct Late {
    call: Vec<u8>,
    arrived: u64,
    answered: u64,
}

impl Line {
    pub(super) fn new(client: UnixStream, server: UnixStream, shared: Arc<Shared>) -> Self {
        Self {
            client,
            from_client: Messages::of_the_client(),
            statements: Statements::default(),
            backend: Backend::new(server, Arc::clone(&shared)),
            shared,
        }
    }

    /// Carries until the line ends, or `cut` ends it.
    pub(super) async fn run(mut self, cut: CancellationToken) {
        let end = tokio::select! {
            () = cut.cancelled() => return,
            end = self.carry() => end,
        };
        let Self {
            client,
            mut backend,
            shared,
            ..
        } = self;
        drop(client);
        // An end that broke is as good as one that hung up; the store has to cope with both.
        if let Ok(End::Late(late)) = end {
            // Counted from here on, so that whoever waits for quiet waits for this call as well.
            backend.expect_an_answer();
            shared.time_to_deliver(late.arrived, late.answered).await;
            let _server_went = backend.execute(&late.call).await;
        }
    }

    async fn carry(&mut self) -> Result<End> {
        loop {
            tokio::select! {
                message = self.from_client.next(&mut self.client) => {
                    let Some(message) = message? else { return Ok(End::HungUp) };
                    match self.statements.part(message) {
                        Part::Other(message) => self.backend.pass_on(&message).await?,
                        Part::Unfinished => {}
                        Part::Call(call) => {
                            let arrival = self.shared.call_arrived();
                            if let Some(end) = self.call(call, arrival).await? {
                                return Ok(end);
                            }
                        }
                    }
                }
                message = self.backend.next() => {
                    let Some(message) = message? else { return Ok(End::HungUp) };
                    self.client.write_all(&message).await?;
                }
            }
        }
    }

    /// Sends a call on its way, or lets a fault have it; the line ends unless none is returned.
    async fn call(&mut self, call: Vec<u8>, arrival: Arrival) -> Result<Option<End>> {
        match arrival.fault {
            None => {}
            Some(Fault::Hold) => self.shared.let_go(arrival.released).await,
            Some(Fault::Before) => return Ok(Some(End::HungUp)),
            Some(Fault::Uncommitted) => {
                self.without_its_end(call).await?;
                return Ok(Some(End::HungUp));
            }
            Some(Fault::During) => {
                self.backend.expect_an_answer();
                self.backend.send(&call).await?;
                return Ok(Some(End::HungUp));
            }
            Some(Fault::After) => {
                self.backend.expect_an_answer();
                self.backend.execute(&call).await?;
                return Ok(Some(End::HungUp));
            }
            Some(Fault::Late { answers }) => {
                return Ok(Some(End::Late(Late {
                    call,
                    arrived: match answers {
                        0 => arrival.arrived + 1,
                        _ => u64::MAX,
                    },
                    answered: arrival.answered + u64::from(answers).max(1),
                })));
            }
        }
        self.backend.expect_an_answer();
        self.backend.send(&call).await?;
        Ok(None)
    }

    /// Has the server execute a call and show the result, but not commit.
    async fn without_its_end(&mut self, mut call: Vec<u8>) -> Result<()> {
        let sync = call.len() - wire::FLUSH.len();
        assert_eq!(call[sync], wire::SYNC, "a call by the extended protocol");
        call.splice(sync.., wire::FLUSH);
        self.backend.expect_an_answer();
        self.backend.send(&call).await?;
        while let Some(message) = self.backend.next().await? {
            self.client.write_all(&message).await?;
            if [wire::COMMAND_COMPLETE, wire::ERROR_RESPONSE].contains(&message[0]) {
                break;
            }
        }
        Ok(())
    }
}
