//! The peer: cqrs-es with postgres-es, set up as its documentation says, on a table of its own.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use cqrs_es::AggregateError;
use fido_commands::decide::Decider;
use fido_domain::Private;
use postgres_es::{PostgresCqrs, postgres_cqrs};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::notebook::{Notebook, NotebookEvent, TakeNote, note};
use super::sample::Sample;
use super::streams::Streams;
use crate::bench::load::Worker;
use crate::bench::server::Database;

/// The table of the documentation (`db/init.sql` of the crate), in a schema of its own.
const TABLE: &str = "
create schema postgres_es;
create table postgres_es.events (
    aggregate_type text                         not null,
    aggregate_id   text                         not null,
    sequence       bigint check (sequence >= 0) not null,
    event_type     text                         not null,
    event_version  text                         not null,
    payload        json                         not null,
    metadata       json                         not null,
    primary key (aggregate_type, aggregate_id, sequence)
);
grant usage on schema postgres_es to fido_app;
grant select, insert on postgres_es.events to fido_app;";

/// Makes the table.
pub(super) async fn make_table(database: &Database) -> Result<()> {
    sqlx::raw_sql(TABLE).execute(&database.owner).await?;
    Ok(())
}

/// Has one command in flight.
pub(super) struct PostgresEsWorker {
    cqrs: Arc<PostgresCqrs<Decider<Notebook>>>,
    streams: Streams,
    text: String,
    metadata: HashMap<String, String>,
    conflicts: u64,
}

impl PostgresEsWorker {
    /// As many as have commands in flight, on `streams` new streams, with a connection each.
    pub(super) async fn crew(
        database: &Database,
        in_flight: usize,
        streams: usize,
        sample: &Sample,
    ) -> Result<(Vec<Self>, PgPool)> {
        let options = database
            .app
            .clone()
            .options([("search_path", "postgres_es")]);
        let pool = PgPoolOptions::new()
            .max_connections(u32::try_from(in_flight)?)
            .connect_with(options)
            .await
            .context("postgres-es cannot connect")?;
        let cqrs = Arc::new(postgres_cqrs(pool.clone(), Vec::new(), ()));
        let (text, metadata) = (text_for(sample)?, metadata_for(sample)?);
        let hands = Streams::deal(streams, in_flight).into_iter();
        let crew = hands.map(|streams| Self {
            cqrs: Arc::clone(&cqrs),
            streams,
            text: text.clone(),
            metadata: metadata.clone(),
            conflicts: 0,
        });
        Ok((crew.collect(), pool))
    }
}

impl Worker for PostgresEsWorker {
    fn streams(&self) -> usize {
        self.streams.len()
    }

    async fn command(&mut self) -> Result<()> {
        let id = self.streams.take_turn().to_string();
        loop {
            let command = TakeNote {
                text: self.text.clone(),
            };
            let executed = self
                .cqrs
                .execute_with_metadata(&id, command, self.metadata.clone())
                .await;
            match executed {
                // Trying again is left to its callers.
                Err(AggregateError::AggregateConflict) => self.conflicts += 1,
                settled => return Ok(settled?),
            }
        }
    }

    fn conflicts(&self) -> u64 {
        self.conflicts
    }
}

/// The note whose payload is about as large as that of Fido: postgres-es stores the event with its
/// name (and a blank after each colon and comma, as it sends `jsonb`).
fn text_for(sample: &Sample) -> Result<String> {
    let empty = NotebookEvent::NoteTaken {
        text: Private::new(String::new()),
    };
    let around = serde_json::to_string(&empty)?.len();
    Ok(note(sample.payload.len().saturating_sub(around)))
}

/// The same metadata, as far as a map of texts can say it.
fn metadata_for(sample: &Sample) -> Result<HashMap<String, String>> {
    let fields: HashMap<String, Value> = serde_json::from_str(&sample.metadata)?;
    let text = |value| match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    Ok(fields
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect())
}
