//! Rotating the master key: everything it wraps is wrapped anew, no event is touched.

use sqlx::{Postgres, Row, Transaction};
use uuid::Uuid;

use super::keys::{pepper_context, unwrap_subject, wrap_subject};
use super::{Vault, VaultError};

/// Keys in one transaction.
const BATCH: i64 = 1_000;

/// How far a rotation has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Keys that were wrapped anew.
    pub done: u64,
    /// Keys that another master key still wraps.
    pub left: u64,
}

impl Vault {
    /// Wraps with the current master key what other ones still wrap, and says so after every batch.
    /// Processes that hold both master keys notice nothing; done twice, the second does nothing.
    ///
    /// # Errors
    /// [`VaultError::OtherMasterKey`] when a key is wrapped with neither of the two at hand; what was
    /// done until then stays done.
    pub async fn rotate(&self, mut progress: impl FnMut(Rotated)) -> Result<Rotated, VaultError> {
        let current = self.0.master.current.id();
        let left: i64 = sqlx::query_scalar(
            "select (select count(*) from vault.subject_keys where master_key <> $1 and wrapped is not null) \
                  + (select count(*) from vault.peppers where master_key <> $1)",
        )
        .bind(&current)
        .fetch_one(&self.0.pool)
        .await?;
        let mut rotated = Rotated {
            done: 0,
            left: left.unsigned_abs(),
        };
        loop {
            let mut transaction = self.0.pool.begin().await?;
            let mut done = self.rotate_subjects(&mut transaction).await?;
            if done == 0 {
                done = self.rotate_peppers(&mut transaction).await?;
            }
            transaction.commit().await?;
            if done == 0 {
                return Ok(rotated);
            }
            rotated.done += done;
            rotated.left = rotated.left.saturating_sub(done);
            progress(rotated);
        }
    }

    async fn rotate_subjects(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
    ) -> Result<u64, VaultError> {
        let current = &self.0.master.current;
        let rows = sqlx::query(
            "select subject, wrapped, master_key from vault.subject_keys \
             where master_key <> $1 and wrapped is not null order by subject limit $2 for update",
        )
        .bind(current.id())
        .bind(BATCH)
        .fetch_all(&mut **transaction)
        .await?;
        let (mut subjects, mut wrapped) = (Vec::new(), Vec::new());
        for row in &rows {
            let subject: Uuid = row.try_get("subject")?;
            let master = self.master(row.try_get("master_key")?)?;
            let key = unwrap_subject(master, subject, row.try_get("wrapped")?)?;
            subjects.push(subject);
            wrapped.push(wrap_subject(current, subject, &key));
        }
        let done = sqlx::query(
            "update vault.subject_keys k set wrapped = t.wrapped, master_key = $3 \
             from unnest($1::uuid[], $2::bytea[]) as t (subject, wrapped) where k.subject = t.subject",
        )
        .bind(subjects)
        .bind(wrapped)
        .bind(current.id())
        .execute(&mut **transaction)
        .await?;
        Ok(done.rows_affected())
    }

    async fn rotate_peppers(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
    ) -> Result<u64, VaultError> {
        let current = &self.0.master.current;
        let rows = sqlx::query(
            "select name, wrapped, master_key from vault.peppers where master_key <> $1 for update",
        )
        .bind(current.id())
        .fetch_all(&mut **transaction)
        .await?;
        let mut done = 0;
        for row in &rows {
            let name: &str = row.try_get("name")?;
            let master = self.master(row.try_get("master_key")?)?;
            let key = master
                .key()
                .unwrap(&pepper_context(name), row.try_get("wrapped")?)?;
            sqlx::query("update vault.peppers set wrapped = $2, master_key = $3 where name = $1")
                .bind(name)
                .bind(current.key().wrap(&pepper_context(name), &key))
                .bind(current.id())
                .execute(&mut **transaction)
                .await?;
            done += 1;
        }
        Ok(done)
    }
}
