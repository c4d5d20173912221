//! Destroying keys: what was sealed with them is gone wherever it is.

use super::{Vault, VaultError};
use crate::erasure::{Entry, Erased};

impl Vault {
    /// Destroys the key, and says whether there was one. Its row stays, so that none is made anew.
    pub(crate) async fn destroy(&self, erased: &Erased) -> Result<bool, VaultError> {
        let destroyed = match erased {
            Erased::Subject(subject) => {
                let streams = sqlx::query(
                    "update vault.stream_keys set wrapped = null, destroyed_at = clock_timestamp() \
                     where subject = $1 and wrapped is not null",
                )
                .bind(subject)
                .execute(self.pool())
                .await?;
                let own = sqlx::query(
                    "update vault.subject_keys set wrapped = null, destroyed_at = clock_timestamp() \
                     where subject = $1 and wrapped is not null",
                )
                .bind(subject)
                .execute(self.pool())
                .await?;
                self.forget_subject(*subject);
                streams.rows_affected() + own.rows_affected()
            }
            Erased::Stream(stream) => {
                let own = sqlx::query(
                    "update vault.stream_keys set wrapped = null, destroyed_at = clock_timestamp() \
                     where aggregate_type = $1 and aggregate_id = $2 and wrapped is not null",
                )
                .bind(stream.aggregate_type.as_ref())
                .bind(stream.id)
                .execute(self.pool())
                .await?;
                self.forget(stream);
                own.rows_affected()
            }
        };
        Ok(destroyed > 0)
    }

    /// Destroys every key of the register that has come back with an old backup, before anything is
    /// served; answers with how many entries that were.
    ///
    /// # Errors
    /// [`VaultError::Database`].
    pub async fn enforce(&self, entries: &[Entry]) -> Result<usize, VaultError> {
        let mut back = 0;
        for entry in entries {
            back += usize::from(self.destroy(&entry.erased).await?);
        }
        Ok(back)
    }
}
