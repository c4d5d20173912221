//! Whether each log holds exactly what was acknowledged: no event less, none more.

use anyhow::Result;
use serde::Serialize;
use sqlx::PgPool;

use super::cells::Store;

/// One log.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Log {
    /// Whose it is.
    pub(super) log: String,
    /// Events that its owner put into it beforehand.
    pub(super) filled: u64,
    /// Commands that were acknowledged, each of one event.
    pub(super) acknowledged: u64,
    /// Events that it holds.
    pub(super) events: u64,
    /// The size of a stored payload, in bytes; the few that are smaller found out what to store.
    pub(super) payload_bytes: u64,
    /// The size of the stored metadata, in bytes.
    pub(super) metadata_bytes: u64,
}

/// All logs.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Tally(Vec<Log>);

impl Tally {
    /// That many commands of `store` were acknowledged in the arena.
    pub(super) fn acknowledged(&mut self, store: Store, commands: u64) {
        self.log(name(store)).acknowledged += commands;
    }

    /// Counts the events of everybody in the arena.
    pub(super) async fn count_arena(&mut self, owner: &PgPool) -> Result<()> {
        for (store, events) in [
            (Store::Fido, "public.events"),
            (Store::PostgresEs, "postgres_es.events"),
            (Store::RawInsert, "raw_insert.events"),
        ] {
            let name = name(store);
            if self.0.iter().any(|log| log.log == name) {
                self.count(name, owner, events).await?;
            }
        }
        Ok(())
    }

    /// Counts the events of one more log of Fido, which held `filled` before.
    pub(super) async fn count_filled(
        &mut self,
        owner: &PgPool,
        filled: u64,
        acknowledged: u64,
    ) -> Result<()> {
        let name = format!("fido, {filled} events before");
        let log = self.log(&name);
        log.filled += filled;
        log.acknowledged += acknowledged;
        self.count(&name, owner, "public.events").await
    }

    /// What is wrong with the first log that does not hold what it should.
    pub(super) fn wrong(&self) -> Option<String> {
        let mut wrong = self
            .0
            .iter()
            .filter(|log| log.events != log.filled + log.acknowledged);
        wrong.next().map(|log| {
            format!(
                "the log of {} holds {} events; {} were put in and {} acknowledged",
                log.log, log.events, log.filled, log.acknowledged
            )
        })
    }

    /// All logs.
    pub(super) fn logs(&self) -> &[Log] {
        &self.0
    }

    async fn count(&mut self, name: &str, owner: &PgPool, events: &str) -> Result<()> {
        let (count,): (i64,) = sqlx::query_as(&format!("select count(*) from {events}"))
            .fetch_one(owner)
            .await?;
        let (payload, metadata): (i64, i64) = sqlx::query_as(&format!(
            "select coalesce(max(octet_length(payload::text)), 0)::bigint, \
                    coalesce(max(octet_length(metadata::text)), 0)::bigint \
             from (select payload, metadata from {events} limit 1000) as a_thousand"
        ))
        .fetch_one(owner)
        .await?;
        let log = self.log(name);
        log.events += u64::try_from(count)?;
        log.payload_bytes = u64::try_from(payload)?;
        log.metadata_bytes = u64::try_from(metadata)?;
        Ok(())
    }

    fn log(&mut self, name: &str) -> &mut Log {
        let n = match self.0.iter().position(|log| log.log == name) {
            Some(n) => n,
            None => {
                self.0.push(Log {
                    log: name.to_owned(),
                    filled: 0,
                    acknowledged: 0,
                    events: 0,
                    payload_bytes: 0,
                    metadata_bytes: 0,
                });
                self.0.len() - 1
            }
        };
        &mut self.0[n]
    }
}

/// Flushed or not, a raw insert goes into the same table.
fn name(store: Store) -> &'static str {
    match store {
        Store::Fido | Store::PostgresEs | Store::RawInsert => store.as_str(),
        Store::RawInsertUnflushed => Store::RawInsert.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_holds_one_event_less_is_found_out() {
        let mut tally = Tally::default();
        tally.acknowledged(Store::RawInsert, 3);
        tally.acknowledged(Store::RawInsertUnflushed, 4);
        tally.log("raw_insert").events = 7;
        assert_eq!(tally.wrong(), None);
        tally.log("raw_insert").events = 6;
        let wrong = tally.wrong().unwrap();
        assert!(wrong.contains("raw_insert holds 6 events"), "{wrong}");
    }
}
