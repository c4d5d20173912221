//! One atomic batch: all of its events are stored directly behind their predecessor, or none is.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header;
use async_nats::jetstream::context::PublishAckFuture;
use fido_commands::ambient;
use fido_domain::{Position, Recorded};

use super::RelayError;
use crate::Nats;
use crate::NatsError;
use crate::names::{AGGREGATE_ID, EVENTS_STREAM, SEQUENCE, event_subject};

/// How long sending a batch may take, which waits for nothing but the line.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Sends `batch`; what comes back waits for the server's word and answers with the last position.
pub(super) async fn send(
    nats: &Nats,
    batch: &[Recorded],
) -> Result<impl Future<Output = Result<Position, RelayError>> + use<>, RelayError> {
    let Some((last, others)) = batch.split_last() else {
        return Err(RelayError::Stuck);
    };
    let position = last.position;
    let sent = tokio::time::timeout(PATIENCE, send_all(nats, others, last)).await;
    let acknowledged = sent.map_err(|_elapsed| RelayError::Stuck)??;
    Ok(async move {
        let acknowledged = acknowledged
            .await
            .map_err(|source| RelayError::Refused { position, source })?;
        let sequence = acknowledged.sequence;
        if Position::try_from(sequence) == Ok(position) {
            Ok(position)
        } else {
            Err(RelayError::Misplaced { position, sequence })
        }
    })
}

async fn send_all(
    nats: &Nats,
    others: &[Recorded],
    last: &Recorded,
) -> Result<PublishAckFuture, RelayError> {
    let id = ambient::new_id().to_string();
    for (event, n) in others.iter().zip(1_usize..) {
        nats.client
            .publish_with_headers(event_subject(event), headers(event, &id, n), body(event)?)
            .await
            .map_err(|source| RelayError::Send {
                position: event.position,
                source: source.into(),
            })?;
    }
    let mut commit = headers(last, &id, others.len() + 1);
    commit.insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
    nats.jetstream
        .publish_with_headers(event_subject(last), commit, body(last)?)
        .await
        .map_err(|source| RelayError::Send {
            position: last.position,
            source: source.into(),
        })
}

/// The headers of the `n`th event of the batch `id`. The first says what the batch has to follow.
fn headers(event: &Recorded, id: &str, n: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::NATS_BATCH_ID, id);
    headers.insert(header::NATS_BATCH_SEQUENCE, n.to_string().as_str());
    headers.insert(AGGREGATE_ID, event.aggregate_id.to_string().as_str());
    headers.insert(SEQUENCE, event.sequence.to_string().as_str());
    if n == 1 {
        let expected = (event.position - 1).to_string();
        headers.insert(header::NATS_EXPECTED_STREAM, EVENTS_STREAM);
        headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, expected.as_str());
    }
    headers
}

fn body(event: &Recorded) -> Result<bytes::Bytes, NatsError> {
    serde_json::to_vec(event)
        .map(Into::into)
        .map_err(NatsError::other("writing an event"))
}
