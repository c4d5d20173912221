//! One session: from asking the stream where it ends until something goes wrong. Reading, publishing
//! and watching go on at the same time; the first that fails ends all three, and whatever is in flight
//! is dropped.

use std::convert::Infallible;
use std::time::Duration;

use fido_domain::{Epochs, Position, Recorded};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::pages::Reader;
use super::{Activity, Relay, RelayError, batch, pages, resume};
use crate::names::APPENDED;
use crate::stream::Carried;
use crate::{NatsError, line};

/// Atomic batches that wait for their acknowledgement at the same time.
const IN_FLIGHT: usize = 2;
/// Batches that are read ahead of those.
const AHEAD: usize = 2;
/// How often the stream is asked whether it still is what it was.
const LOOK: Duration = Duration::from_secs(1);

impl Relay {
    /// Publishes from wherever the stream is, until something goes wrong.
    pub(super) async fn session(&self) -> Result<Infallible, RelayError> {
        line::stands(&self.nats.client).await;
        let breaks = self.nats.line.breaks();
        let wakes = self
            .nats
            .client
            .subscribe(APPENDED)
            .await
            .map_err(NatsError::other("listening for appends"))?;
        let epochs = self.log.epochs().await?;
        let head = self.log.head().await?;
        let position = resume::position(&self.log, &self.nats, &epochs).await?;
        self.progress.resumes(position);
        self.progress.is(Activity::Publishing);
        tracing::info!(
            position,
            head,
            epoch = epochs.current().epoch,
            "the relay publishes"
        );
        let (give, batches) = mpsc::channel(AHEAD);
        let reader = Reader {
            log: self.log.clone(),
            epochs: epochs.clone(),
            position,
            head,
            wakes,
        };
        // A task of its own: reading and publishing are each worth a core. Dropped with this session.
        let reading = AbortOnDropHandle::new(tokio::spawn(pages::read(reader, give)));
        tokio::select! {
            ended = self.publish_batches(batches) => ended?,
            ended = self.watch_stream(&epochs) => return ended,
            () = breaks => return Err(RelayError::Broken),
        }
        // Nothing more is read; the reader says why.
        reading.await?
    }

    /// Publishes `batches` in order until there are no more, and waits for what is in flight.
    async fn publish_batches(
        &self,
        mut batches: mpsc::Receiver<Vec<Recorded>>,
    ) -> Result<(), RelayError> {
        let mut in_flight = FuturesOrdered::new();
        loop {
            tokio::select! {
                biased;
                Some(acknowledged) = in_flight.next(), if !in_flight.is_empty() => {
                    self.progress.acknowledged(acknowledged?);
                }
                batch = batches.recv(), if in_flight.len() < IN_FLIGHT => match batch {
                    Some(batch) => in_flight.push_back(batch::send(&self.nats, &batch).await?),
                    None => break,
                },
            }
        }
        while let Some(acknowledged) = in_flight.next().await {
            self.progress.acknowledged(acknowledged?);
        }
        Ok(())
    }

    /// Asks the stream every second whether it still holds what it has acknowledged: it may be
    /// deleted, wiped or put back while nothing is published.
    async fn watch_stream(&self, epochs: &Epochs) -> Result<Infallible, RelayError> {
        loop {
            tokio::time::sleep(LOOK).await;
            let published = self.progress.published().unwrap_or_default();
            let stream = self.nats.events_stream().await?;
            let carried = Carried::by(stream.cached_info())?;
            self.is_whole(epochs, carried, published).await?;
        }
    }

    async fn is_whole(
        &self,
        epochs: &Epochs,
        carried: Carried,
        published: Position,
    ) -> Result<(), RelayError> {
        let current = epochs.current();
        if self.log.epochs().await? != *epochs || carried.epoch != current.epoch {
            return Err(RelayError::Forked);
        }
        if carried.log_id != current.log_id {
            return Err(RelayError::Nats(NatsError::OtherLog {
                found: carried.log_id,
                wanted: current.log_id,
            }));
        }
        if carried.last < published {
            return Err(RelayError::LostTail {
                found: carried.last,
                published,
            });
        }
        let head = self.log.head().await?;
        epochs.standing(carried.epoch, carried.last, head)?;
        Ok(())
    }
}
