//! Asking every replica how far it is, whether queries go there or not: for operators, for health,
//! and for those who must know what has been seen of the log.

use fido_domain::Position;
use fido_nats::replica::Followed;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::Replicas;
use crate::drift::{self, Drift};
use crate::operation::{self, Condition};

/// What a replica's checkpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// It shows the log up to here.
    pub position: Position,
    /// Which log, in which epoch; none before its projector has met a log.
    pub followed: Option<Followed>,
    /// It is a physical standby.
    pub is_standby: bool,
}

impl Shown {
    /// Reads the checkpoint.
    pub(super) async fn read(replica: impl PgExecutor<'_>) -> Result<Self, sqlx::Error> {
        let row = sqlx::query(
            "select position, log_id, epoch, pg_is_in_recovery() as is_standby from checkpoint",
        )
        .fetch_one(replica)
        .await?;
        Self::of(&row)
    }

    /// The same, how the replica is looked after, and what was found when it was compared with the log.
    pub(super) async fn read_with_care(replica: &mut PgConnection) -> Result<Cared, sqlx::Error> {
        let shown = Self::read(&mut *replica).await?;
        // A replica that an earlier build has made keeps no account of that.
        let (is_kept, is_watched): (bool, bool) = sqlx::query_as(
            "select to_regclass('quarantine') is not null and to_regclass('projector') is not null, \
                    to_regclass('drift') is not null",
        )
        .fetch_one(&mut *replica)
        .await?;
        let condition = match is_kept {
            true => Some(operation::condition_of(&mut *replica).await?),
            false => None,
        };
        let drift = match is_watched {
            true => drift::stored(replica).await?,
            false => None,
        };
        Ok(Cared {
            shown,
            condition,
            drift,
        })
    }

    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let log_id: Option<Uuid> = row.try_get("log_id")?;
        let epoch: Option<i32> = row.try_get("epoch")?;
        Ok(Self {
            position: row.try_get("position")?,
            followed: log_id
                .zip(epoch)
                .map(|(log_id, epoch)| Followed { log_id, epoch }),
            is_standby: row.try_get("is_standby")?,
        })
    }
}

/// What a replica shows, and how it is looked after.
#[derive(Debug)]
pub(super) struct Cared {
    pub(super) shown: Shown,
    pub(super) condition: Option<Condition>,
    pub(super) drift: Option<Drift>,
}

/// What came of asking one replica.
#[derive(Debug)]
pub struct Surveyed {
    /// Which.
    pub name: String,
    /// Kept for analysts.
    pub is_reserved: bool,
    /// How it is looked after, if it answers and tells.
    pub condition: Option<Condition>,
    /// What the last look whether it holds what the log says has found; none before the first.
    pub drift: Option<Drift>,
    /// It shows another log than the one that is expected.
    pub is_other_log: bool,
    /// What its checkpoint says.
    pub found: Result<Shown, sqlx::Error>,
}

impl Surveyed {
    /// Streams are left out of it or are not as the log says, or its projector stands still until
    /// somebody does something.
    pub fn is_ailing(&self) -> bool {
        let condition = self.condition.as_ref();
        condition.is_some_and(|condition| !condition.is_good()) || self.drifts()
    }

    /// Streams in it are not as the log says.
    pub fn drifts(&self) -> bool {
        self.drift.as_ref().is_some_and(|drift| drift.differing > 0)
    }
}

impl Replicas {
    /// Asks every replica at once, on connections of their own. Takes two seconds at most.
    pub async fn survey(&self) -> Vec<Surveyed> {
        let asked = self.shared.endpoints().iter().map(async |endpoint| {
            let (found, condition, drift) = match endpoint.ask_apart().await {
                Ok(cared) => (Ok(cared.shown), cared.condition, cared.drift),
                Err(error) => (Err(error), None, None),
            };
            let log = self.shared.log();
            let followed = found.as_ref().ok().and_then(|shown| shown.followed);
            Surveyed {
                name: endpoint.name().to_owned(),
                is_reserved: endpoint.is_reserved(),
                condition,
                drift,
                is_other_log: followed
                    .zip(log.log_id)
                    .is_some_and(|(followed, log_id)| followed.log_id != log_id),
                found,
            }
        });
        futures::future::join_all(asked).await
    }
}
