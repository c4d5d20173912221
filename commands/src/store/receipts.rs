//! Receipts: a request with an `Idempotency-Key` that is sent twice has one effect, and the same
//! answer. A receipt holds no answer, only where its events stand; the answer is built again from them.

use std::time::Duration;

use fido_domain::Position;
use sqlx::Row;
use uuid::Uuid;

use super::{Committed, EventStore, ExecuteError, Placed, corrupt, vault_error};
use crate::append::Receipt;
use crate::decide::Decide;
use crate::log::{Log, LogError};

/// The pause before a receipt is asked for again; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Receipts that one sweep deletes at a time.
const SWEEP: i64 = 1_000;

impl EventStore {
    /// What the request that `receipt` stands for has led to before; nothing if it is new.
    pub(crate) async fn replay<S: Decide>(
        &self,
        receipt: &Receipt,
    ) -> Result<Option<Committed<S::Event>>, ExecuteError<S::Refusal>> {
        let unavailable = |error: sqlx::Error| ExecuteError::Unavailable(error.into());
        let found = sqlx::query(
            "select request_hash, first_position, last_position from receipts \
             where account_id = $1 and key_hash = $2",
        )
        .bind(receipt.account_id)
        .bind(&receipt.key_hash)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)?;
        let Some(row) = found else {
            return Ok(None);
        };
        let request_hash: &[u8] = row.try_get("request_hash").map_err(unavailable)?;
        if request_hash != receipt.request_hash {
            return Err(ExecuteError::KeyReused);
        }
        let first: Position = row.try_get("first_position").map_err(unavailable)?;
        let last: Position = row.try_get("last_position").map_err(unavailable)?;
        Ok(Some(Committed {
            events: self.recorded::<S>(first, last).await?,
            position: last,
            replayed: true,
        }))
    }

    /// What the request has led to whose receipt the database was found to have. The receipt may be
    /// from this very command's first try, whose answer was lost: so a line that is down now is waited
    /// for, as by every command that was sent, and not told as a failure.
    pub(super) async fn replay_surely<S: Decide>(
        &self,
        receipt: &Receipt,
    ) -> Result<Committed<S::Event>, ExecuteError<S::Refusal>> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.replay::<S>(receipt).await {
                Err(ExecuteError::Unavailable(error)) => {
                    tracing::warn!(error = %error, "a receipt could not be read; asking again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                known => return known?.ok_or(ExecuteError::KeyReused),
            }
        }
    }

    async fn recorded<S: Decide>(
        &self,
        first: Position,
        last: Position,
    ) -> Result<Vec<(S::Event, Placed)>, ExecuteError<S::Refusal>> {
        let log = Log::new(self.pool.clone());
        let recorded = log.after(first - 1, last - first + 1).await;
        let recorded = recorded.map_err(|error| match error {
            LogError::Database(error) => ExecuteError::Unavailable(error.into()),
            LogError::Malformed { .. } | LogError::NoEpoch(_) => corrupt::<S>(error),
        })?;
        let mut events = Vec::with_capacity(recorded.len());
        for mut recorded in recorded {
            let opened = self.vault.open(&mut recorded).await;
            opened.map_err(vault_error::<S>)?;
            // What is wrong with one that cannot be read is not repeated: it may be content.
            let event = recorded
                .event()
                .map_err(|error| corrupt::<S>(error.to_string()))?;
            events.push((event, Placed::of(&recorded)));
        }
        Ok(events)
    }

    /// Deletes receipts that are older than 48 hours; answers with how many they were.
    ///
    /// # Errors
    /// What the database says; the next sweep goes on.
    pub async fn sweep_receipts(&self) -> Result<u64, sqlx::Error> {
        let mut swept = 0;
        loop {
            let gone: Vec<Uuid> = sqlx::query_scalar(
                "delete from receipts r using (select account_id, key_hash from receipts \
                 where recorded_at < clock_timestamp() - interval '48 hours' limit $1) old \
                 where r.account_id = old.account_id and r.key_hash = old.key_hash \
                 returning r.account_id",
            )
            .bind(SWEEP)
            .fetch_all(&self.pool)
            .await?;
            if gone.is_empty() {
                return Ok(swept);
            }
            swept += gone.len() as u64;
        }
    }
}
