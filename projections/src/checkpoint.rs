//! Where a replica stands: how far it shows which log, and whether that log still holds what it shows.

use fido_domain::epochs::{Diverged, Standing};
use fido_domain::{Epochs, Position};
use fido_nats::replica::Followed;
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use crate::operation::{self, OPERATIONAL_TABLES};

/// A replica that cannot follow this log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContactError {
    /// It shows another log.
    #[error(
        "the replica shows log {found}, this is log {wanted}: does FIDO_REPLICA_URL belong to another \
         installation? A replica for this log begins empty"
    )]
    OtherLog { found: Uuid, wanted: Uuid },
    /// It shows more than the log holds.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// Another projector has moved it.
    #[error("another projector is at work")]
    Fenced,
    /// The database refused or was not there.
    #[error("the replica cannot be written")]
    Database(#[from] sqlx::Error),
}

/// As the replica has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stored {
    position: Position,
    /// Log and epoch; none before the first contact with a log.
    followed: Option<(Uuid, i32)>,
}

impl Stored {
    /// How the replica stands towards the log of `epochs`, which ends at `head`.
    fn standing(self, epochs: &Epochs, head: Position) -> Result<Standing, ContactError> {
        let current = epochs.current();
        let (log_id, epoch) = self.followed.unwrap_or((current.log_id, 1));
        if log_id != current.log_id {
            return Err(ContactError::OtherLog {
                found: log_id,
                wanted: current.log_id,
            });
        }
        Ok(epochs.standing(epoch, self.position, head)?)
    }
}

/// The replica meets the log: it is entered which log and epoch it follows, and what the log has lost
/// is taken out of it, by beginning again from nothing. Answers with the position that it shows.
pub(crate) async fn meet(
    replica: &mut PgConnection,
    epochs: &Epochs,
    head: Position,
) -> Result<Position, ContactError> {
    let stored = stored(replica).await?;
    let standing = stored.standing(epochs, head)?;
    let current = epochs.current();
    if standing == Standing::Current && stored.followed.is_some() {
        return Ok(stored.position);
    }
    let mut transaction = replica.begin().await?;
    operation::lock(&mut transaction).await?;
    let position = if standing == Standing::Lost {
        tracing::warn!(
            position = stored.position,
            epoch = current.epoch,
            "the replica shows events that the log has lost; emptying it to build it again from the beginning"
        );
        empty(&mut transaction).await?;
        0
    } else {
        stored.position
    };
    let entered = sqlx::query(
        "update checkpoint set position = $1, log_id = $2, epoch = $3 \
         where position = $4 and epoch is not distinct from $5",
    )
    .bind(position)
    .bind(current.log_id)
    .bind(current.epoch)
    .bind(stored.position)
    .bind(stored.followed.map(|(_, epoch)| epoch))
    .execute(&mut *transaction)
    .await?;
    if entered.rows_affected() != 1 {
        return Err(ContactError::Fenced);
    }
    transaction.commit().await?;
    Ok(position)
}

/// Moves the checkpoint; false when it is not at `from` any more, or in another epoch.
pub(crate) async fn advance(
    replica: &mut PgConnection,
    epoch: i32,
    from: Position,
    to: Position,
) -> Result<bool, sqlx::Error> {
    let moved =
        sqlx::query("update checkpoint set position = $3 where position = $2 and epoch = $1")
            .bind(epoch)
            .bind(from)
            .bind(to)
            .execute(replica)
            .await?;
    Ok(moved.rows_affected() == 1)
}

/// Where the replica is, and which log it follows, if it has met one.
pub(crate) async fn shown(
    replica: &mut PgConnection,
) -> Result<(Position, Option<Followed>), sqlx::Error> {
    let Stored { position, followed } = stored(replica).await?;
    let followed = followed.map(|(log_id, epoch)| Followed { log_id, epoch });
    Ok((position, followed))
}

async fn stored(replica: &mut PgConnection) -> Result<Stored, sqlx::Error> {
    let row = sqlx::query("select position, log_id, epoch from checkpoint")
        .fetch_one(replica)
        .await?;
    let log_id: Option<Uuid> = row.try_get("log_id")?;
    let epoch: Option<i32> = row.try_get("epoch")?;
    Ok(Stored {
        position: row.try_get("position")?,
        followed: log_id.zip(epoch),
    })
}

/// Deletes every row that follows from the log, and what waits in quarantine to follow. Not by
/// truncating, which would take the rows from under those who are reading an earlier moment.
async fn empty(replica: &mut PgConnection) -> Result<(), sqlx::Error> {
    // As long as it takes: the role's bound is meant for questions.
    sqlx::query("set local statement_timeout = 0")
        .execute(&mut *replica)
        .await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c \
         where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') \
           and not c.relispartition and (c.relname <> all($1) or c.relname = 'quarantine')",
    )
    .bind(OPERATIONAL_TABLES.as_slice())
    .fetch_all(&mut *replica)
    .await?;
    for table in tables {
        sqlx::query(&format!("delete from {table}"))
            .execute(&mut *replica)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fido_domain::Epoch;

    use super::*;

    fn log() -> Epochs {
        let epoch = |epoch, forked_after, first_position| Epoch {
            log_id: Uuid::from_u128(7),
            epoch,
            forked_after,
            first_position,
        };
        Epochs::try_new(vec![epoch(1, 0, 1), epoch(2, 100, 152)]).unwrap()
    }

    fn replica(position: Position, log_id: u128, epoch: i32) -> Stored {
        Stored {
            position,
            followed: Some((Uuid::from_u128(log_id), epoch)),
        }
    }

    #[test]
    fn a_replica_of_another_log_is_refused() {
        let standing = replica(0, 8, 1).standing(&log(), 200);
        assert!(matches!(standing, Err(ContactError::OtherLog { .. })));
    }

    #[test]
    fn a_replica_that_is_ahead_is_left_as_it_is() {
        let standing = replica(300, 7, 1).standing(&log(), 200);
        assert!(matches!(standing, Err(ContactError::Diverged(_))));
    }

    #[test]
    fn only_a_replica_that_shows_lost_events_begins_again() {
        let standing = |replica: Stored| replica.standing(&log(), 200).unwrap();
        assert_eq!(standing(replica(101, 7, 1)), Standing::Lost);
        assert_eq!(standing(replica(100, 7, 1)), Standing::Earlier);
        assert_eq!(standing(replica(151, 7, 2)), Standing::Current);
        let new = Stored {
            position: 0,
            followed: None,
        };
        assert_eq!(standing(new), Standing::Earlier);
    }
}
