//! The contest: all stores in turns, round by round, so that whatever else the machine does hits
//! all of them alike.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::cells::{Store, Subject};
use super::fido::FidoWorker;
use super::postgres_es::{self, PostgresEsWorker};
use super::raw_insert::{self, Flush, RawInsertWorker};
use super::settings::{Part, Settings};
use crate::bench::load::{self, Load};
use crate::bench::table::grouped;

const STORES: [Store; 3] = [Store::Fido, Store::PostgresEs, Store::RawInsert];

/// How many measurements there will be.
pub(super) fn steps(settings: &Settings) -> usize {
    let levels = settings.in_flight.iter();
    settings.rounds
        * levels
            .map(|in_flight| stores(*in_flight, 0).len())
            .sum::<usize>()
}

/// Everybody who takes part with this many in flight, another one first each `turn`.
fn stores(in_flight: usize, turn: usize) -> Vec<Store> {
    let mut stores = STORES.to_vec();
    if in_flight == 1 {
        stores.push(Store::RawInsertUnflushed);
    }
    let first = turn % stores.len();
    stores.rotate_left(first);
    stores
}

pub(super) async fn run(bench: &mut Bench<'_>) -> Result<()> {
    postgres_es::make_table(&bench.arena).await?;
    raw_insert::make_table(&bench.arena).await?;
    let settings = bench.settings;
    // Rows in every table and statistics about them, as in any database that is in use.
    for store in STORES {
        let load = measure(bench, store, 1, Duration::ZERO).await?;
        bench.tally.acknowledged(store, load.acknowledged);
    }
    sqlx::raw_sql("vacuum (analyze)")
        .execute(&bench.arena.owner)
        .await?;
    for round in 0..settings.rounds {
        for (n, in_flight) in settings.in_flight.iter().copied().enumerate() {
            for store in stores(in_flight, round + n) {
                let load = measure(bench, store, in_flight, settings.duration()).await?;
                bench.tally.acknowledged(store, load.acknowledged);
                let subject = Subject {
                    part: Part::Contest,
                    store,
                    in_flight,
                    processes: 1,
                    events_before: None,
                };
                let figures = bench.cells.record(subject, &load);
                bench.progress.step(&format!(
                    "round {}, {in_flight} in flight, {store}: {} commands/s",
                    round + 1,
                    grouped(figures.commands_per_s)
                ));
            }
        }
    }
    Ok(())
}

async fn measure(
    bench: &Bench<'_>,
    store: Store,
    in_flight: usize,
    duration: Duration,
) -> Result<Load> {
    let (arena, sample, streams) = (&bench.arena, &bench.sample, bench.settings.streams);
    match store {
        Store::Fido => {
            let crew = FidoWorker::crew(&bench.store, in_flight, streams, &sample.text);
            load::measure(crew, duration).await
        }
        Store::PostgresEs => {
            let (crew, pool) = PostgresEsWorker::crew(arena, in_flight, streams, sample).await?;
            let load = load::measure(crew, duration).await;
            pool.close().await;
            load
        }
        Store::RawInsert | Store::RawInsertUnflushed => {
            let flush = match store {
                Store::RawInsertUnflushed => Flush::Later,
                Store::Fido | Store::PostgresEs | Store::RawInsert => Flush::EachCommit,
            };
            let crew = RawInsertWorker::crew(arena, in_flight, streams, sample, flush).await?;
            load::measure(crew, duration).await
        }
    }
}
