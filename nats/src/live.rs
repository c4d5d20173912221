//! Tokens of replies that are being written: core NATS, not kept; the whole text comes as an event.

use fido_domain::Private;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::names::{live_of, live_subject};
use crate::{Nats, NatsError};

/// What happens while a reply is being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "live", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A piece of text.
    Delta {
        /// Where.
        conversation_id: Uuid,
        /// Of which reply.
        reply_id: Uuid,
        /// Of which attempt at it.
        attempt: u32,
        /// 1, 2, 3 … within the attempt.
        n: u32,
        /// The text that comes next.
        text: Private<String>,
    },
    /// Another worker took over: forget the text so far, the next delta is number 1.
    Restarted {
        /// Where.
        conversation_id: Uuid,
        /// Which reply.
        reply_id: Uuid,
        /// The attempt that begins.
        attempt: u32,
    },
}

impl LiveEvent {
    /// The conversation that the reply is part of.
    pub fn conversation_id(&self) -> Uuid {
        match self {
            Self::Delta {
                conversation_id, ..
            }
            | Self::Restarted {
                conversation_id, ..
            } => *conversation_id,
        }
    }

    fn reply_id(&self) -> Uuid {
        match self {
            Self::Delta { reply_id, .. } | Self::Restarted { reply_id, .. } => *reply_id,
        }
    }
}

impl Nats {
    /// Shows `event` to whoever of `account` is looking. Nobody may be; then it is gone.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn publish_live(&self, account: Uuid, event: &LiveEvent) -> Result<(), NatsError> {
        let subject = live_subject(account, event.conversation_id(), event.reply_id());
        let body = serde_json::to_vec(event).map_err(NatsError::other("writing a token"))?;
        self.client
            .publish(subject, body.into())
            .await
            .map_err(NatsError::other("publishing a token"))
    }

    /// Everything live for `account` from now on.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn live_of(
        &self,
        account: Uuid,
    ) -> Result<impl Stream<Item = LiveEvent> + Send + Unpin + use<>, NatsError> {
        let messages = self
            .client
            .subscribe(live_of(account))
            .await
            .map_err(NatsError::other("listening for tokens"))?;
        Ok(Box::pin(messages.filter_map(|message| async move {
            serde_json::from_slice(&message.payload).ok()
        })))
    }
}
