//! Reading the log ahead, page by page, in the runs that will be published as one batch each.

use std::convert::Infallible;

use async_nats::{Message, Subscriber};
use fido_commands::log::Log;
use fido_domain::{Epochs, Position, Recorded};
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use super::{POLL, RelayError};

/// Events in one page and in one atomic batch; the server takes at most 1,000.
const PAGE: i64 = 500;
/// Bytes of content in one atomic batch, so that none takes the server's memory.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Where reading goes on.
pub(super) struct Reader {
    pub(super) log: Log,
    pub(super) epochs: Epochs,
    /// The last position that the stream holds.
    pub(super) position: Position,
    /// The head of the log, asked before anything is read.
    pub(super) head: Position,
    /// Says that something was appended.
    pub(super) wakes: Subscriber,
}

/// Gives whatever the log holds and will hold to `give`, until the log cannot go on from here or
/// nobody takes it.
pub(super) async fn read(
    mut reader: Reader,
    give: mpsc::Sender<Vec<Recorded>>,
) -> Result<Infallible, RelayError> {
    loop {
        for batch in batches(reader.page().await?) {
            if give.send(batch).await.is_err() {
                // Whoever took them has ended, with an error of its own.
                return std::future::pending().await;
            }
        }
    }
}

impl Reader {
    /// The next events, once there are any.
    async fn page(&mut self) -> Result<Vec<Recorded>, RelayError> {
        loop {
            self.forget_old_wakes();
            let page = self.log.after(self.position, PAGE).await?;
            if let Some(last) = page.last() {
                // What does not follow directly lies behind the gap of a new epoch.
                let follows = (self.position + 1..).zip(&page);
                if follows.into_iter().any(|(n, event)| event.position != n) {
                    return Err(RelayError::Forked);
                }
                self.position = last.position;
                return Ok(page);
            }
            // The head was there before the page was read: there are no events up to it.
            if self.head > self.position {
                return Err(RelayError::Forked);
            }
            self.wake().await;
            // The log may have lost its tail while the line to it held.
            self.head = self.log.head().await?;
            let epoch = self.epochs.current().epoch;
            self.epochs.standing(epoch, self.position, self.head)?;
        }
    }

    /// Waits for a wake or the poll, whichever is first.
    async fn wake(&mut self) {
        let wake = async {
            while let Some(wake) = self.wakes.next().await {
                if !is_old(&wake, self.position) {
                    return;
                }
            }
            // The subscription ended with its connection; the poll is left.
            std::future::pending().await
        };
        let _ = tokio::time::timeout(POLL, wake).await;
    }

    /// Several wakes are one, and what the next page brings needs none.
    fn forget_old_wakes(&mut self) {
        while let Some(Some(_)) = self.wakes.next().now_or_never() {}
    }
}

/// Whether `wake` is about something that was read already.
fn is_old(wake: &Message, position: Position) -> bool {
    let appended = std::str::from_utf8(&wake.payload).ok();
    let appended = appended.and_then(|text| text.parse::<Position>().ok());
    appended.is_some_and(|appended| appended <= position)
}

/// `page` cut into runs of bounded size; an event that is larger than that is a run of its own.
fn batches(page: Vec<Recorded>) -> Vec<Vec<Recorded>> {
    let mut batches = Vec::new();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for event in page {
        let size = event.payload.get().len() + event.metadata.get().len();
        if !batch.is_empty() && bytes + size > BATCH_BYTES {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += size;
        batch.push(event);
    }
    batches.push(batch);
    batches
}

#[cfg(test)]
mod tests {
    use fido_domain::Recorded;
    use serde_json::value::RawValue;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{BATCH_BYTES, batches};

    fn event(position: i64, bytes: usize) -> Recorded {
        let payload = format!("\"{}\"", "a".repeat(bytes - 2));
        Recorded {
            position,
            aggregate_type: "plan".to_owned(),
            aggregate_id: Uuid::nil(),
            sequence: position,
            event_type: "plan_started".to_owned(),
            event_version: "1.0".to_owned(),
            payload: RawValue::from_string(payload).unwrap(),
            metadata: RawValue::from_string("{}".to_owned()).unwrap(),
            recorded_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_page_is_cut_where_a_batch_would_become_too_large() {
        let half = BATCH_BYTES / 2;
        // With two bytes of metadata each.
        let sizes = [half - 2, half - 2, 10, half, BATCH_BYTES + 1, 5];
        let page: Vec<_> = (1..).zip(sizes).map(|(n, size)| event(n, size)).collect();
        let cut = batches(page).into_iter();
        let cut: Vec<Vec<i64>> = cut
            .map(|batch| batch.iter().map(|event| event.position).collect())
            .collect();
        assert_eq!(cut, [vec![1, 2], vec![3, 4], vec![5], vec![6]]);
    }
}
