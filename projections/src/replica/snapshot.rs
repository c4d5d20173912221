//! One moment of a replica.

use std::sync::Arc;

use fido_domain::Position;
use sqlx::{Postgres, Transaction};

use super::endpoint::{Endpoint, Place};
use super::survey::Shown;

/// One moment of a replica: everything read through it belongs to the same position.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) transaction: Transaction<'static, Postgres>,
    shown: Shown,
    place: Place,
}

impl Snapshot {
    pub(super) fn new(
        transaction: Transaction<'static, Postgres>,
        shown: Shown,
        place: Place,
    ) -> Self {
        Self {
            transaction,
            shown,
            place,
        }
    }

    /// The position that it shows.
    pub fn position(&self) -> Position {
        self.shown.position
    }

    /// The epoch of the log that the replica follows; none before its projector has met a log.
    pub fn epoch(&self) -> Option<i32> {
        self.shown.followed.map(|followed| followed.epoch)
    }

    /// The name of the replica.
    pub fn replica(&self) -> &str {
        self.place.endpoint().name()
    }

    pub(super) fn shown(&self) -> &Shown {
        &self.shown
    }

    pub(super) fn endpoint(&self) -> Arc<Endpoint> {
        Arc::clone(self.place.endpoint())
    }
}
