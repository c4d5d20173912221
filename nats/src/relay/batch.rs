//! One batch of events, each of which is stored directly behind its predecessor or not at all: many
//! as an atomic batch of the server, few as messages of their own.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header;
use async_nats::jetstream::context::PublishAckFuture;
use fido_commands::ambient;
use fido_domain::{Position, Recorded};
use futures::StreamExt;
use futures::stream::FuturesOrdered;

use super::RelayError;
use crate::Nats;
use crate::NatsError;
use crate::names::{AGGREGATE_ID, EVENTS_STREAM, SEQUENCE, event_subject};

/// How long sending a batch may take, which waits for nothing but the line.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Up to how many events go as messages of their own. For an atomic batch the server makes a store,
/// fills and removes it, which costs it as much as some dozens of messages, and a trickle of events
/// would keep it busy with nothing else.
const FEW: usize = 32;

/// Sends `batch`; what comes back waits for the server's word and answers with the last position.
pub(super) async fn send(
    nats: &Nats,
    batch: &[Recorded],
) -> Result<impl Future<Output = Result<Position, RelayError>> + use<>, RelayError> {
    let sending = async {
        if batch.len() <= FEW {
            send_each(nats, batch).await
        } else {
            send_together(nats, batch).await
        }
    };
    let sent = tokio::time::timeout(PATIENCE, sending).await;
    let sent = sent.map_err(|_elapsed| RelayError::Stuck)??;
    let mut acknowledgements: FuturesOrdered<_> = sent
        .into_iter()
        .map(|(position, sent)| stored(position, sent))
        .collect();
    Ok(async move {
        let mut last = None;
        while let Some(stored) = acknowledgements.next().await {
            last = Some(stored?);
        }
        last.ok_or(RelayError::Stuck)
    })
}

/// What the server will say something about, in order.
type Sent = Vec<(Position, PublishAckFuture)>;

/// Each event says which one it follows. When one is refused, later ones may still be stored, but only
/// where another relay has put the same events before them.
async fn send_each(nats: &Nats, batch: &[Recorded]) -> Result<Sent, RelayError> {
    let mut sent = Sent::new();
    for event in batch {
        let mut headers = headers(event);
        follow(&mut headers, event);
        sent.push(publish(nats, event, headers).await?);
    }
    Ok(sent)
}

/// All are stored, the first behind its predecessor, or none is.
async fn send_together(nats: &Nats, batch: &[Recorded]) -> Result<Sent, RelayError> {
    let id = ambient::new_id().to_string();
    let mut sent = Sent::new();
    for (event, n) in batch.iter().zip(1_usize..) {
        let mut headers = headers(event);
        headers.insert(header::NATS_BATCH_ID, id.as_str());
        headers.insert(header::NATS_BATCH_SEQUENCE, n.to_string().as_str());
        if n == 1 {
            follow(&mut headers, event);
        }
        if n == batch.len() {
            headers.insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
            sent.push(publish(nats, event, headers).await?);
        } else {
            nats.client
                .publish_with_headers(event_subject(event), headers, body(event)?)
                .await
                .map_err(|source| unsent(event, source))?;
        }
    }
    Ok(sent)
}

async fn publish(
    nats: &Nats,
    event: &Recorded,
    headers: HeaderMap,
) -> Result<(Position, PublishAckFuture), RelayError> {
    let sent = nats
        .jetstream
        .publish_with_headers(event_subject(event), headers, body(event)?)
        .await
        .map_err(|source| unsent(event, source))?;
    Ok((event.position, sent))
}

fn unsent(event: &Recorded, source: impl Into<async_nats::Error>) -> RelayError {
    RelayError::Send {
        position: event.position,
        source: source.into(),
    }
}

/// Waits until the server has stored the event at `position`, under that very sequence.
async fn stored(position: Position, sent: PublishAckFuture) -> Result<Position, RelayError> {
    let acknowledged = sent
        .await
        .map_err(|source| RelayError::Refused { position, source })?;
    let sequence = acknowledged.sequence;
    if Position::try_from(sequence) == Ok(position) {
        Ok(position)
    } else {
        Err(RelayError::Misplaced { position, sequence })
    }
}

fn headers(event: &Recorded) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AGGREGATE_ID, event.aggregate_id.to_string().as_str());
    headers.insert(SEQUENCE, event.sequence.to_string().as_str());
    headers
}

/// Says what `event` has to follow.
fn follow(headers: &mut HeaderMap, event: &Recorded) {
    let expected = (event.position - 1).to_string();
    headers.insert(header::NATS_EXPECTED_STREAM, EVENTS_STREAM);
    headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, expected.as_str());
}

fn body(event: &Recorded) -> Result<bytes::Bytes, NatsError> {
    serde_json::to_vec(event)
        .map(Into::into)
        .map_err(NatsError::other("writing an event"))
}
