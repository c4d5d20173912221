//! The end of the event stream, followed live by a process that pushes changes to browsers.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::Stream;
use fido_domain::{Position, Recorded};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::ordered::{Broken, Ordered};
use crate::stream::Carried;
use crate::{Nats, NatsError};

/// How often a broken line is mended before the follower is told.
const MENDS: u32 = 5;
/// The pause before the first mend; doubles from mend to mend.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Following the stream came to an end.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The stream no longer holds what comes next, or carries something else there.
    #[error("the stream cannot continue after position {after}")]
    Gap {
        /// The last position that was brought.
        after: Position,
    },
    /// The log is in a new epoch: what was brought last may be lost.
    #[error("the log is in epoch {epoch} now")]
    Forked {
        /// The new epoch.
        epoch: i32,
    },
    /// The line could not be mended.
    #[error(transparent)]
    Line(#[from] NatsError),
}

/// Follows the event stream from its present end. Belongs to one process; acknowledges nothing.
pub struct Tail {
    nats: Nats,
    ordered: Ordered,
    epoch: i32,
    /// Ends when the connection breaks on which `ordered` was opened.
    breaks: BoxFuture<'static, ()>,
}

impl Tail {
    /// Begins behind the stream's present last event.
    ///
    /// # Errors
    /// [`NatsError::NoStream`] before the relay has made the stream, and what NATS says.
    pub async fn open(nats: &Nats) -> Result<Self, NatsError> {
        let breaks = nats.line.breaks().fuse().boxed();
        let stream = nats.events_stream().await?;
        let carried = Carried::by(stream.cached_info())?;
        Ok(Self {
            breaks,
            nats: nats.clone(),
            ordered: follow(&stream, carried.last).await?,
            epoch: carried.epoch,
        })
    }

    /// The epoch of the log that is followed.
    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    /// The last position brought, or the one behind which following began.
    pub fn position(&self) -> Position {
        self.ordered.position()
    }

    /// The next event, exactly one position further. Mends a broken line by itself.
    ///
    /// # Errors
    /// [`TailError`]; then open a new tail.
    pub async fn next(&mut self) -> Result<Recorded, TailError> {
        let mut pause = FIRST_PAUSE;
        let mut mends = 0;
        let mut failed = None;
        loop {
            // Nothing more is read from what broke before it is mended.
            let broken = match failed.take() {
                Some(error) => Broken::Line(error),
                None => match self.brought().await {
                    Ok(event) => return Ok(event),
                    Err(broken) => broken,
                },
            };
            let after = self.position();
            if mends == MENDS {
                return Err(match broken {
                    Broken::Hole { .. } => TailError::Gap { after },
                    Broken::Line(error) => TailError::Line(error),
                });
            }
            mends += 1;
            tracing::warn!(position = after, reason = %broken, "following the stream broke off; resuming");
            tokio::time::sleep(pause).await;
            pause *= 2;
            match self.mend().await {
                Ok(()) => {}
                Err(NatsError::OtherEpoch { found, .. }) => {
                    return Err(TailError::Forked { epoch: found });
                }
                Err(error) => failed = Some(error),
            }
        }
    }

    /// What comes next. A server that was killed has forgotten the consumer, which silence alone would
    /// show ten seconds later.
    async fn brought(&mut self) -> Result<Recorded, Broken> {
        tokio::select! {
            biased;
            brought = self.ordered.next() => brought.map(|(event, _)| event),
            () = &mut self.breaks => Err(Broken::Line(NatsError::Broken)),
        }
    }

    async fn mend(&mut self) -> Result<(), NatsError> {
        let breaks = self.nats.line.breaks().fuse().boxed();
        let stream = self.nats.events_stream_in(self.epoch).await?;
        self.ordered = follow(&stream, self.position()).await?;
        self.breaks = breaks;
        Ok(())
    }
}

async fn follow(stream: &Stream, after: Position) -> Result<Ordered, NatsError> {
    let start = u64::try_from(after + 1).map_err(NatsError::other("choosing where to begin"))?;
    let consumer = stream
        .create_consumer(pull::Config {
            ack_policy: AckPolicy::None,
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: start,
            },
            inactive_threshold: Duration::from_secs(60),
            memory_storage: true,
            ..pull::Config::default()
        })
        .await
        .map_err(NatsError::other("following the event stream"))?;
    Ordered::read(&consumer, after).await
}
