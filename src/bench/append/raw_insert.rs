//! The bare database: one prepared insert of one row a command, on a connection of its own.

use anyhow::{Context, Result};
use fido_domain::Evolve;
use fido_domain::recorded::VERSION_1;
use sqlx::{ConnectOptions, PgConnection};

use super::notebook::{NOTE_TAKEN, Notebook};
use super::sample::Sample;
use super::streams::Streams;
use crate::bench::load::Worker;
use crate::bench::server::Database;

/// The columns and the two indexes of a segment of Fido's log; a sequence gives out the positions.
const TABLE: &str = "
create schema raw_insert;
create table raw_insert.events (like public.events);
alter table raw_insert.events
    alter column position add generated always as identity,
    alter column recorded_at set default clock_timestamp(),
    add primary key (position),
    add unique (aggregate_type, aggregate_id, sequence);
grant usage on schema raw_insert to fido_app;
grant select, insert on raw_insert.events to fido_app;";

const INSERT: &str = "insert into raw_insert.events (aggregate_type, aggregate_id, sequence, \
     event_type, event_version, payload, metadata) \
     values ($1, $2, $3, $4, $5, $6::json, $7::json)";

/// Makes the table.
pub(super) async fn make_table(database: &Database) -> Result<()> {
    sqlx::raw_sql(TABLE).execute(&database.owner).await?;
    Ok(())
}

/// Whether an insert is on the disk when it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flush {
    /// It is.
    EachCommit,
    /// It is not, which shows what flushing costs.
    Later,
}

/// Has one insert in flight.
pub(super) struct RawInsertWorker {
    connection: PgConnection,
    /// Each stream with its last sequence.
    streams: Vec<(String, i64)>,
    next: usize,
    payload: String,
    metadata: String,
}

impl RawInsertWorker {
    /// As many as have inserts in flight, on `streams` new streams, with a connection each.
    pub(super) async fn crew(
        database: &Database,
        in_flight: usize,
        streams: usize,
        sample: &Sample,
        flush: Flush,
    ) -> Result<Vec<Self>> {
        let synchronous_commit = match flush {
            Flush::EachCommit => "on",
            Flush::Later => "off",
        };
        let options = database
            .app
            .clone()
            .options([("synchronous_commit", synchronous_commit)]);
        let mut crew = Vec::with_capacity(in_flight);
        for hand in Streams::deal(streams, in_flight) {
            let connection = options.connect().await;
            crew.push(Self {
                connection: connection.context("the loop of inserts cannot connect")?,
                streams: hand.ids().iter().map(|id| (id.to_string(), 0)).collect(),
                next: 0,
                payload: sample.payload.clone(),
                metadata: sample.metadata.clone(),
            });
        }
        Ok(crew)
    }
}

impl Worker for RawInsertWorker {
    fn streams(&self) -> usize {
        self.streams.len()
    }

    async fn command(&mut self) -> Result<()> {
        let turn = self.next;
        self.next = (turn + 1) % self.streams.len();
        let (id, sequence) = &mut self.streams[turn];
        *sequence += 1;
        sqlx::query(INSERT)
            .bind(Notebook::TYPE)
            .bind(id.as_str())
            .bind(*sequence)
            .bind(NOTE_TAKEN)
            .bind(VERSION_1)
            .bind(self.payload.as_str())
            .bind(self.metadata.as_str())
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}
