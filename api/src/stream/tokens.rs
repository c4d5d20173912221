//! Listens for the tokens of one account's replies, once for all its clients.

use std::sync::Arc;
use std::time::Duration;

use fido_nats::{Nats, NatsError};
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::hub::Hub;
use super::rooms::Push;
use crate::problem::describe;

/// The pause before listening is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Listens for as long as it is held.
#[derive(Debug)]
pub(super) struct Listening {
    task: AbortHandle,
    heard: watch::Receiver<bool>,
}

impl Listening {
    /// Hands every token for `account` to its clients in `hub`.
    pub(super) fn begin(hub: Hub, nats: Nats, account: Uuid) -> Self {
        let (tell_heard, heard) = watch::channel(false);
        let listen = async move {
            loop {
                if let Err(error) = listen_once(&hub, &nats, account, &tell_heard).await {
                    let error = describe(&error);
                    tracing::warn!(account.id = %account, error, "tokens are not heard");
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        Self {
            task: tokio::spawn(listen).abort_handle(),
            heard,
        }
    }

    /// Becomes true once no token can be missed any more.
    pub(super) fn heard(&self) -> watch::Receiver<bool> {
        self.heard.clone()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen_once(
    hub: &Hub,
    nats: &Nats,
    account: Uuid,
    heard: &watch::Sender<bool>,
) -> Result<(), NatsError> {
    let mut tokens = nats.live_of(account).await?;
    heard.send_replace(true);
    while let Some(token) = tokens.next().await {
        hub.tell(account, &Push::Live(Arc::new(token)));
    }
    Ok(())
}
