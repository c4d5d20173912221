//! Keys in their tables: finding, making, wrapping.

use std::collections::HashMap;

use sqlx::Row;
use uuid::Uuid;

use super::{Pepper, StreamId, StreamKey, Vault, VaultError};
use crate::secrets::{Key, MasterKey};

/// The name of the one pepper.
const PEPPER: &str = "hashes";

impl Vault {
    /// What the tables say of `streams`; nothing for one that has no key yet.
    pub(super) async fn find(
        &self,
        streams: &[StreamId],
    ) -> Result<HashMap<StreamId, StreamKey>, VaultError> {
        let types: Vec<&str> = streams.iter().map(|s| s.aggregate_type.as_ref()).collect();
        let ids: Vec<Uuid> = streams.iter().map(|s| s.id).collect();
        let rows = sqlx::query(
            "select t.n, k.subject, k.wrapped, s.wrapped as subject_wrapped, s.master_key \
             from unnest($1::text[], $2::uuid[]) with ordinality as t (aggregate_type, aggregate_id, n) \
             join vault.stream_keys k using (aggregate_type, aggregate_id) \
             join vault.subject_keys s using (subject)",
        )
        .bind(types)
        .bind(ids)
        .fetch_all(&self.0.pool)
        .await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in rows {
            let n: i64 = row.try_get("n")?;
            let Some(stream) = usize::try_from(n - 1).ok().and_then(|n| streams.get(n)) else {
                continue;
            };
            let subject: Uuid = row.try_get("subject")?;
            let wrapped: Option<Vec<u8>> = row.try_get("wrapped")?;
            let subject_wrapped: Option<Vec<u8>> = row.try_get("subject_wrapped")?;
            let key = match (wrapped, subject_wrapped) {
                (Some(wrapped), Some(subject_wrapped)) => {
                    let master = self.master(row.try_get("master_key")?)?;
                    let subject_key = unwrap_subject(master, subject, &subject_wrapped)?;
                    self.0.subjects.insert(subject, subject_key.clone());
                    Some(unwrap_stream(&subject_key, stream, &wrapped)?)
                }
                (None, _) | (_, None) => None,
            };
            let known = StreamKey { subject, key };
            self.0.streams.insert(stream.clone(), known.clone());
            found.insert(stream.clone(), known);
        }
        Ok(found)
    }

    /// Makes the key of `stream`, or finds the one that somebody else has made meanwhile.
    pub(super) async fn make(&self, stream: &StreamId, subject: Uuid) -> Result<Key, VaultError> {
        let subject_key = self.subject_key(subject).await?;
        let key = Key::generate();
        let made = sqlx::query(
            "insert into vault.stream_keys (aggregate_type, aggregate_id, subject, wrapped) \
             values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(stream.aggregate_type.as_ref())
        .bind(stream.id)
        .bind(subject)
        .bind(wrap_stream(&subject_key, stream, &key))
        .execute(&self.0.pool)
        .await?;
        if made.rows_affected() == 1 {
            let known = StreamKey {
                subject,
                key: Some(key.clone()),
            };
            self.0.streams.insert(stream.clone(), known);
            return Ok(key);
        }
        let found = self
            .find(std::slice::from_ref(stream))
            .await?
            .remove(stream);
        found.and_then(|known| known.key).ok_or(VaultError::Erased)
    }

    async fn subject_key(&self, subject: Uuid) -> Result<Key, VaultError> {
        if let Some(key) = self.0.subjects.get(&subject) {
            return Ok(key);
        }
        let select = "select wrapped, master_key from vault.subject_keys where subject = $1";
        let found = sqlx::query(select)
            .bind(subject)
            .fetch_optional(&self.0.pool)
            .await?;
        let row = match found {
            Some(row) => row,
            None => {
                let master = &self.0.master.current;
                sqlx::query(
                    "insert into vault.subject_keys (subject, wrapped, master_key) values ($1, $2, $3) \
                     on conflict do nothing",
                )
                .bind(subject)
                .bind(wrap_subject(master, subject, &Key::generate()))
                .bind(master.id())
                .execute(&self.0.pool)
                .await?;
                // Whoever was first, this is the one that counts.
                sqlx::query(select)
                    .bind(subject)
                    .fetch_one(&self.0.pool)
                    .await?
            }
        };
        let wrapped: Option<Vec<u8>> = row.try_get("wrapped")?;
        let wrapped = wrapped.ok_or(VaultError::Erased)?;
        let key = unwrap_subject(self.master(row.try_get("master_key")?)?, subject, &wrapped)?;
        self.0.subjects.insert(subject, key.clone());
        Ok(key)
    }

    pub(super) async fn load_pepper(&self) -> Result<Pepper, VaultError> {
        let master = &self.0.master.current;
        sqlx::query(
            "insert into vault.peppers (name, wrapped, master_key) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(PEPPER)
        .bind(master.key().wrap(&pepper_context(PEPPER), &Key::generate()))
        .bind(master.id())
        .execute(&self.0.pool)
        .await?;
        let row = sqlx::query("select wrapped, master_key from vault.peppers where name = $1")
            .bind(PEPPER)
            .fetch_one(&self.0.pool)
            .await?;
        let wrapped: Vec<u8> = row.try_get("wrapped")?;
        let master = self.master(row.try_get("master_key")?)?;
        Ok(Pepper(
            master.key().unwrap(&pepper_context(PEPPER), &wrapped)?,
        ))
    }

    pub(super) fn master(&self, id: &str) -> Result<&MasterKey, VaultError> {
        let found = self.0.master.named(id);
        found.ok_or_else(|| VaultError::OtherMasterKey {
            found: id.to_owned(),
        })
    }
}

pub(super) fn pepper_context(name: &str) -> [&str; 2] {
    ["pepper", name]
}

pub(super) fn wrap_subject(master: &MasterKey, subject: Uuid, key: &Key) -> Vec<u8> {
    master.key().wrap(&["subject", &subject.to_string()], key)
}

pub(super) fn unwrap_subject(
    master: &MasterKey,
    subject: Uuid,
    wrapped: &[u8],
) -> Result<Key, VaultError> {
    Ok(master
        .key()
        .unwrap(&["subject", &subject.to_string()], wrapped)?)
}

fn wrap_stream(subject_key: &Key, stream: &StreamId, key: &Key) -> Vec<u8> {
    subject_key.wrap(
        &["stream", &stream.aggregate_type, &stream.id.to_string()],
        key,
    )
}

fn unwrap_stream(subject_key: &Key, stream: &StreamId, wrapped: &[u8]) -> Result<Key, VaultError> {
    let context = ["stream", &stream.aggregate_type, &stream.id.to_string()];
    Ok(subject_key.unwrap(&context, wrapped)?)
}
