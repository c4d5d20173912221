//! What a client missed longer ago than the hub remembers, page by page from a replica.

use fido_domain::{Position, Recorded};
use fido_projections::{ReadError, Replicas, timeline};
use uuid::Uuid;

/// How many events are read at a time.
const PAGE: usize = 500;

/// An account's events in `(after, up_to]` that are still to be read.
#[derive(Clone)]
pub(super) struct History {
    replicas: Replicas,
    account: Uuid,
    after: Position,
    up_to: Position,
}

impl History {
    pub(super) fn new(replicas: Replicas, account: Uuid, after: Position, up_to: Position) -> Self {
        Self {
            replicas,
            account,
            after,
            up_to,
        }
    }

    /// What was read last, or before the first page what the client had seen.
    pub(super) fn after(&self) -> Position {
        self.after
    }

    /// The next events, in order; none when all have been read. Waits for a replica that knows all
    /// of them. Between two pages nothing is held, and each may come from another replica: up to a
    /// position that all of them have reached, they show the same.
    pub(super) async fn page(&mut self) -> Result<Vec<Recorded>, ReadError> {
        if self.after >= self.up_to {
            return Ok(Vec::new());
        }
        let (account, from, to) = (self.account, self.after, self.up_to);
        let query = |mut snapshot| async move {
            timeline::after(&mut snapshot, account, from, to, PAGE as i64).await
        };
        let (_, page) = self.replicas.ask(Some(self.up_to), query).await?;
        self.after = match page.last() {
            Some(last) if page.len() == PAGE => last.position,
            _ => self.up_to,
        };
        Ok(page)
    }

    /// Whether there are more than `most` events. Without looking when there cannot be: each has a
    /// position of its own.
    pub(super) async fn exceeds(&self, most: i64) -> Result<bool, ReadError> {
        if self.up_to - self.after <= most {
            return Ok(false);
        }
        let mut ahead = self.clone();
        let mut found = 0;
        while found <= most {
            match ahead.page().await?.len() {
                0 => return Ok(false),
                events => found += i64::try_from(events).unwrap_or(i64::MAX),
            }
        }
        Ok(true)
    }
}
