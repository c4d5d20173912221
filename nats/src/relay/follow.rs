//! Waiting for what an end of publishing was about: another relay that is ahead, or an operator's word
//! on a log that has lost its tail.

use std::time::Duration;

use fido_commands::ambient;
use fido_domain::Position;

use super::{POLL, Relay, RelayError};
use crate::stream::Carried;

/// The shortest pause between two looks at what another relay does; up to twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// After this long the stream is asked again too: somebody may have deleted it.
const UNSETTLED: Duration = Duration::from_secs(5);

impl Relay {
    /// Lets another relay work, until the stream stands still although the log has gone on.
    pub(super) async fn follow(&self) -> Result<(), RelayError> {
        let mut seen = self.last_in_stream().await?;
        if self.progress.published().is_some_and(|own| seen <= own) {
            // Nobody was ahead: the stream has lost what it held.
            return Ok(());
        }
        tracing::info!(position = seen, "another relay publishes; standing by");
        loop {
            self.progress.resumes(seen);
            tokio::time::sleep(pause()).await;
            let last = self.last_in_stream().await?;
            if last == seen && self.log.head().await? > last {
                tracing::info!(position = last, "the other relay has stopped; taking over");
                return Ok(());
            }
            if last < seen {
                return Ok(());
            }
            seen = last;
        }
    }

    /// Waits until the log holds what the stream has seen, or an operator has declared how it goes on.
    pub(super) async fn until_settled(&self) -> Result<(), RelayError> {
        let stream = self.nats.events_stream().await?;
        let carried = Carried::by(stream.cached_info())?;
        let looked = tokio::time::timeout(UNSETTLED, async {
            loop {
                let (epochs, head) = (self.log.epochs().await?, self.log.head().await?);
                if epochs.standing(carried.epoch, carried.last, head).is_ok() {
                    return Ok(());
                }
                tokio::time::sleep(POLL).await;
            }
        });
        looked.await.unwrap_or(Ok(()))
    }

    async fn last_in_stream(&self) -> Result<Position, RelayError> {
        let stream = self.nats.events_stream().await?;
        Ok(Carried::by(stream.cached_info())?.last)
    }
}

/// Not the same for two relays, so that they do not step on each other again and again.
fn pause() -> Duration {
    let [chance] = ambient::random::<1>();
    PAUSE + PAUSE * u32::from(chance) / u32::from(u8::MAX)
}
