//! The relay: reads the log by position and publishes it to the event stream, each event under its
//! own position. It remembers nothing; where to go on, the stream itself knows.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header;
use async_nats::jetstream::context::PublishError;
use fido_commands::ambient;
use fido_commands::log::{Log, LogError};
use fido_domain::epochs::{Diverged, Standing};
use fido_domain::{Epochs, Position, Recorded};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::names::{AGGREGATE_ID, APPENDED, EVENTS_STREAM, SEQUENCE, event_subject};
use crate::stream::{self, Carried};
use crate::{Nats, NatsError};

/// Events in one atomic batch; the server takes at most 1,000.
const BATCH: i64 = 500;
/// Bytes of content in one atomic batch, so that none takes the server's memory.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long the log may have grown before the relay looks by itself.
const POLL: Duration = Duration::from_millis(100);

/// Why the relay had to begin anew.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error("a batch was refused")]
    Refused(#[source] PublishError),
    #[error("published position {position} as sequence {sequence}")]
    Misplaced { position: Position, sequence: u64 },
    #[error(transparent)]
    Diverged(#[from] Diverged),
    #[error("the log is in a new epoch")]
    Forked,
}

/// Publishes the log until `shutdown`. Failures are waited out; nothing is ever skipped.
///
/// Two relays at once do no harm: each batch says which sequence it expects to follow, so the slower
/// one is refused and looks again.
pub async fn run(log: Log, nats: Nats, shutdown: CancellationToken) {
    let mut backoff = Backoff::default();
    while !shutdown.is_cancelled() {
        let mut published = false;
        let ended = tokio::select! {
            () = shutdown.cancelled() => return,
            ended = publish(&log, &nats, &mut published) => ended,
        };
        if published {
            backoff.reset();
        }
        match ended {
            Err(error @ RelayError::Diverged(_)) => {
                tracing::error!(
                    error = %error,
                    "the relay does not publish before an operator has run `fido log fork`"
                );
                backoff.lengthen();
            }
            Err(RelayError::Forked) => tracing::info!("the log is in a new epoch"),
            Err(error) => tracing::warn!(
                error = %chain(&error),
                retry_in_ms = u64::try_from(backoff.pause().as_millis()).unwrap_or(u64::MAX),
                "the relay lost its place and looks again"
            ),
            Ok(never) => match never {},
        }
        backoff.wait(&shutdown).await;
    }
}

/// Publishes from wherever the stream is, until something goes wrong.
async fn publish(
    log: &Log,
    nats: &Nats,
    published: &mut bool,
) -> Result<std::convert::Infallible, RelayError> {
    let mut wakes = nats
        .client
        .subscribe(APPENDED)
        .await
        .map_err(NatsError::other("listening for appends"))?;
    let epochs = log.epochs().await?;
    let mut position = stream_of(log, nats, &epochs).await?;
    let mut head = log.head().await?;
    tracing::info!(
        position,
        head,
        epoch = epochs.current().epoch,
        "the relay publishes"
    );
    loop {
        let events = log.after(position, BATCH).await?;
        if events.is_empty() {
            // The head was there before the page was read: there are no events up to it.
            if head > position {
                return Err(RelayError::Forked);
            }
            // A wake or the poll, whichever is first; several wakes are one.
            let _ = tokio::time::timeout(POLL, wakes.next()).await;
            // The log may have lost its tail while the line to it held.
            head = log.head().await?;
            epochs.standing(epochs.current().epoch, position, head)?;
        }
        for batch in batches(&events) {
            position = publish_batch(nats, batch).await?;
            *published = true;
        }
    }
}

/// Sees to it that the stream carries the log in its current epoch; answers with the last position
/// that it carries.
async fn stream_of(log: &Log, nats: &Nats, epochs: &Epochs) -> Result<Position, RelayError> {
    let epoch = epochs.current();
    let found = match nats.events_stream().await {
        Err(NatsError::NoStream) => return Ok(nats.make_events_stream(epoch).await?.last),
        found => found?,
    };
    let carried = Carried::by(found.cached_info())?;
    if carried.log_id != epoch.log_id {
        return Err(RelayError::Nats(NatsError::OtherLog {
            found: carried.log_id,
            wanted: epoch.log_id,
        }));
    }
    match epochs.standing(carried.epoch, carried.last, log.head().await?)? {
        Standing::Current => {
            stream::check(found.cached_info(), epoch)?;
            Ok(carried.last)
        }
        // A stream has no gap, so it cannot go on beyond one.
        Standing::Earlier | Standing::Lost => {
            tracing::warn!(
                position = carried.last,
                stream.epoch = carried.epoch,
                epoch = epoch.epoch,
                "the event stream is of an earlier epoch; making it anew"
            );
            nats.delete_events_stream().await?;
            Ok(nats.make_events_stream(epoch).await?.last)
        }
    }
}

/// `events` cut into runs of bounded size; an event that is larger than that is a run of its own.
fn batches(events: &[Recorded]) -> impl Iterator<Item = (&Recorded, &[Recorded])> {
    let mut bytes = 0;
    events
        .chunk_by(move |_, event| {
            bytes += event.payload.get().len() + event.metadata.get().len();
            if bytes <= BATCH_BYTES {
                return true;
            }
            bytes = 0;
            false
        })
        .filter_map(|batch| batch.split_last())
}

/// Publishes `others` and `last`, all of them or none, directly behind their predecessor; answers
/// with the position of the last.
async fn publish_batch(
    nats: &Nats,
    (last, others): (&Recorded, &[Recorded]),
) -> Result<Position, RelayError> {
    let id = ambient::new_id().to_string();
    let first = others.first().unwrap_or(last);
    let headers = |event: &Recorded, n: usize| {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_BATCH_ID, id.as_str());
        headers.insert(header::NATS_BATCH_SEQUENCE, n.to_string().as_str());
        headers.insert(AGGREGATE_ID, event.aggregate_id.to_string().as_str());
        headers.insert(SEQUENCE, event.sequence.to_string().as_str());
        if n == 1 {
            let expected = (first.position - 1).to_string();
            headers.insert(header::NATS_EXPECTED_STREAM, EVENTS_STREAM);
            headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, expected.as_str());
        }
        headers
    };
    for (event, n) in others.iter().zip(1..) {
        nats.client
            .publish_with_headers(event_subject(event), headers(event, n), body(event)?)
            .await
            .map_err(NatsError::other("publishing an event"))?;
    }
    let mut commit = headers(last, others.len() + 1);
    commit.insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
    let ack = nats
        .jetstream
        .publish_with_headers(event_subject(last), commit, body(last)?)
        .await
        .map_err(RelayError::Refused)?
        .await
        .map_err(RelayError::Refused)?;
    if Position::try_from(ack.sequence) == Ok(last.position) {
        Ok(last.position)
    } else {
        Err(RelayError::Misplaced {
            position: last.position,
            sequence: ack.sequence,
        })
    }
}

fn body(event: &Recorded) -> Result<bytes::Bytes, NatsError> {
    serde_json::to_vec(event)
        .map(Into::into)
        .map_err(NatsError::other("writing an event"))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
