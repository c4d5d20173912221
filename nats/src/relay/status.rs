//! What relays say of themselves when an operator asks.

use std::time::Duration;

use async_nats::StatusCode;
use fido_commands::ambient;
use fido_domain::Position;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::progress::Progress;
use crate::names::RELAYS;
use crate::{Nats, NatsError};

/// How long the first relay has to answer.
const FIRST: Duration = Duration::from_secs(1);
/// How long any further one has.
const FURTHER: Duration = Duration::from_millis(150);
/// The pause before listening anew.
const PAUSE: Duration = Duration::from_secs(1);

/// What a relay does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Publishes whatever the log brings.
    Publishing,
    /// Stands by, since another relay publishes.
    Following,
    /// Waits for the event store or the broker; its log says for which, and why.
    Waiting,
    /// Does not publish before an operator has declared how a log goes on that lost its tail.
    Diverged,
}

/// How one relay stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayStatus {
    /// Which one; made anew whenever a relay starts.
    pub id: Uuid,
    /// What it does.
    pub activity: Activity,
    /// The last position that it knows the stream to hold; none before it has asked.
    pub published: Option<Position>,
    /// For how long the stream has been behind the log, in milliseconds; none while every event is
    /// published within a second.
    #[serde(default)]
    pub behind_ms: Option<u64>,
}

/// Answers operators until the connection is closed for good.
pub(super) async fn answer(nats: &Nats, progress: &Progress) {
    let id = ambient::new_id();
    loop {
        if let Ok(mut questions) = nats.client.subscribe(RELAYS).await {
            while let Some(question) = questions.next().await {
                let status = RelayStatus {
                    id,
                    activity: progress.activity(),
                    published: progress.published(),
                    behind_ms: progress.behind_since().map(|since| {
                        u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
                    }),
                };
                let (Some(reply), Ok(body)) = (question.reply, serde_json::to_vec(&status)) else {
                    continue;
                };
                if let Err(error) = nats.client.publish(reply, body.into()).await {
                    tracing::debug!(error = %error, "an operator was not answered");
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Nats {
    /// All relays that answer; empty when none is running.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn relays(&self) -> Result<Vec<RelayStatus>, NatsError> {
        let asking = "asking for relays";
        let inbox = self.client.new_inbox();
        let mut answers = self
            .client
            .subscribe(inbox.clone())
            .await
            .map_err(NatsError::other(asking))?;
        self.client
            .publish_with_reply(RELAYS, inbox, bytes::Bytes::new())
            .await
            .map_err(NatsError::other(asking))?;
        let mut relays: Vec<RelayStatus> = Vec::new();
        let mut patience = FIRST;
        while let Ok(Some(answer)) = tokio::time::timeout(patience, answers.next()).await {
            if answer.status == Some(StatusCode::NO_RESPONDERS) {
                break;
            }
            relays.extend(serde_json::from_slice(&answer.payload));
            patience = FURTHER;
        }
        Ok(relays)
    }
}
