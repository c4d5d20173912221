//! What projectors tell of their replicas, over core NATS: how far each is and how it fares. An
//! announcement may be lost without harm, the checkpoint in the replica is what counts.

use fido_domain::Position;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::names::{REPLICAS, replica_subject};
use crate::{Nats, NatsError};

/// How a replica stands, in the words of its projector.
///
/// On the wire a JSON object. Whatever a build does not know it passes over, and what is missing is
/// taken for nothing special; a bare number is a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire")]
pub struct Announcement {
    /// It shows the log up to here.
    pub position: Position,
    /// The log and the epoch of it that the replica follows; none where the projector does not say.
    #[serde(flatten)]
    pub followed: Option<Followed>,
    /// How many streams are left out of it because an event of theirs could not be applied.
    pub quarantined: u64,
    /// Whether its projector has stopped until somebody does something.
    pub paused: bool,
}

/// Which log, and which epoch of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The log.
    pub log_id: Uuid,
    /// Its epoch.
    pub epoch: i32,
}

impl Announcement {
    /// Whether the replica shows all of the log up to its position, and its projector is at work.
    pub fn is_healthy(&self) -> bool {
        self.quarantined == 0 && !self.paused
    }
}

impl From<Position> for Announcement {
    /// A replica about which nothing else is to be said.
    fn from(position: Position) -> Self {
        Self {
            position,
            followed: None,
            quarantined: 0,
            paused: false,
        }
    }
}

/// What is understood, from builds of any age.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Object {
        position: Position,
        log_id: Option<Uuid>,
        epoch: Option<i32>,
        #[serde(default)]
        quarantined: u64,
        #[serde(default)]
        paused: bool,
    },
    Number(Position),
}

impl From<Wire> for Announcement {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Object {
                position,
                log_id,
                epoch,
                quarantined,
                paused,
            } => Self {
                position,
                followed: log_id
                    .zip(epoch)
                    .map(|(log_id, epoch)| Followed { log_id, epoch }),
                quarantined,
                paused,
            },
            Wire::Number(position) => position.into(),
        }
    }
}

impl Nats {
    /// Tells readers how `replica` stands.
    pub async fn announce_replica(&self, replica: &str, state: impl Into<Announcement>) {
        let published = match serde_json::to_vec(&state.into()) {
            Ok(body) => self
                .client
                .publish(replica_subject(replica), body.into())
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = published {
            tracing::debug!(error, "a replica's position was not announced");
        }
    }

    /// What is announced of replicas from now on, with the replica's name.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn replica_announcements(
        &self,
    ) -> Result<impl Stream<Item = (String, Announcement)> + Send + Unpin + use<>, NatsError> {
        let messages = self
            .client
            .subscribe(REPLICAS)
            .await
            .map_err(NatsError::other("listening for replicas"))?;
        // From here on nothing is missed while the connection holds.
        self.client
            .flush()
            .await
            .map_err(NatsError::other("listening for replicas"))?;
        Ok(Box::pin(messages.filter_map(|message| async move {
            let (_, replica) = message.subject.rsplit_once('.')?;
            let announcement = serde_json::from_slice(&message.payload).ok()?;
            Some((replica.to_owned(), announcement))
        })))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn understood(wire: serde_json::Value) -> Announcement {
        serde_json::from_slice(wire.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_told_is_what_is_heard() {
        let told = Announcement {
            followed: Some(Followed {
                log_id: Uuid::from_u128(7),
                epoch: 2,
            }),
            quarantined: 3,
            ..Announcement::from(1_234)
        };
        assert_eq!(understood(serde_json::to_value(told).unwrap()), told);
        let bare = Announcement::from(5);
        assert_eq!(understood(serde_json::to_value(bare).unwrap()), bare);
    }

    #[test]
    fn builds_of_another_age_are_understood() {
        assert_eq!(understood(json!(1_234)), Announcement::from(1_234));
        let newer = json!({"position": 7, "paused": true, "temperature": "mild"});
        assert_eq!(
            understood(newer),
            Announcement {
                paused: true,
                ..Announcement::from(7)
            }
        );
    }

    #[test]
    fn whatever_is_left_out_or_stands_still_is_not_healthy() {
        let well = Announcement::from(7);
        assert!(well.is_healthy());
        let paused = Announcement {
            paused: true,
            ..well
        };
        let quarantined = Announcement {
            quarantined: 1,
            ..well
        };
        assert!(!paused.is_healthy() && !quarantined.is_healthy());
    }
}
