//! Asking every replica how far it is, whether queries go there or not: for operators, for health,
//! and for those who must know what has been seen of the log.

use fido_domain::Position;
use fido_nats::replica::Followed;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::Replicas;
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

    /// The same, and how the replica is looked after.
    pub(super) async fn read_with_condition(
        replica: &mut PgConnection,
    ) -> Result<(Self, Option<Condition>), sqlx::Error> {
        let shown = Self::read(&mut *replica).await?;
        // A replica that an earlier build has made keeps no account of that.
        let is_kept: bool = sqlx::query_scalar(
            "select to_regclass('quarantine') is not null and to_regclass('projector') is not null",
        )
        .fetch_one(&mut *replica)
        .await?;
        let condition = match is_kept {
            true => Some(operation::condition_of(replica).await?),
            false => None,
        };
        Ok((shown, condition))
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

/// What came of asking one replica.
#[derive(Debug)]
pub struct Surveyed {
    /// Which.
    pub name: String,
    /// Kept for analysts.
    pub is_reserved: bool,
    /// How it is looked after, if it answers and tells.
    pub condition: Option<Condition>,
    /// It shows another log than the one that is expected.
    pub is_other_log: bool,
    /// What its checkpoint says.
    pub found: Result<Shown, sqlx::Error>,
}

impl Surveyed {
    /// Streams are left out of it, or its projector stands still until somebody does something.
    pub fn is_ailing(&self) -> bool {
        let condition = self.condition.as_ref();
        condition.is_some_and(|condition| !condition.is_good())
    }
}

impl Replicas {
    /// Asks every replica at once, on connections of their own. Takes two seconds at most.
    pub async fn survey(&self) -> Vec<Surveyed> {
        let asked = self.shared.endpoints().iter().map(async |endpoint| {
            let (found, condition) = match endpoint.ask_apart().await {
                Ok((shown, condition)) => (Ok(shown), condition),
                Err(error) => (Err(error), None),
            };
            let log = self.shared.log();
            let followed = found.as_ref().ok().and_then(|shown| shown.followed);
            Surveyed {
                name: endpoint.name().to_owned(),
                is_reserved: endpoint.is_reserved(),
                condition,
                is_other_log: followed
                    .zip(log.log_id)
                    .is_some_and(|(followed, log_id)| followed.log_id != log_id),
                found,
            }
        });
        futures::future::join_all(asked).await
    }
}
