//! Whether a log that holds much makes appending dearer: logs of several sizes, in turns.

use anyhow::Result;
use fido_commands::EventStore;

use super::Bench;
use super::cells::{Store, Subject};
use super::fido::FidoWorker;
use super::fill::fill;
use super::settings::Part;
use crate::bench::load;
use crate::bench::progress::note;
use crate::bench::server::Database;
use crate::bench::store::{close_store, open_store};
use crate::bench::table::grouped;

/// A log smaller than this is made afresh for each round, as a round would double it.
const KEPT_FROM: i64 = 500_000;

/// A log that was filled.
struct Filled {
    database: Database,
    store: EventStore,
    events: i64,
    /// Commands acknowledged since.
    acknowledged: u64,
}

pub(super) async fn run(bench: &mut Bench<'_>) -> Result<()> {
    let settings = bench.settings;
    let mut kept: Vec<Filled> = Vec::new();
    for round in 0..settings.rounds {
        let mut sizes = settings.events_before.clone();
        if round % 2 == 1 {
            sizes.reverse();
        }
        for events in sizes {
            let mut filled = match kept.iter().position(|filled| filled.events == events) {
                Some(n) => kept.swap_remove(n),
                None => make(bench, round, events).await?,
            };
            measure(bench, round, &mut filled).await?;
            if events < KEPT_FROM {
                end(bench, filled).await?;
            } else {
                kept.push(filled);
            }
        }
    }
    for filled in kept {
        end(bench, filled).await?;
    }
    Ok(())
}

async fn make(bench: &mut Bench<'_>, round: usize, events: i64) -> Result<Filled> {
    if events >= KEPT_FROM {
        note(&format!("      filling a log with {events} events"));
    }
    let purpose = format!("growth_{events}_{round}");
    let database = bench.server.make_database(&purpose).await?;
    let store = open_store(&database.app_url()).await?;
    fill(&database, &store, &bench.sample.text, events).await?;
    Ok(Filled {
        database,
        store,
        events,
        acknowledged: 0,
    })
}

async fn measure(bench: &mut Bench<'_>, round: usize, filled: &mut Filled) -> Result<()> {
    let settings = bench.settings;
    let (in_flight, events) = (settings.in_flight_elsewhere, filled.events);
    let crew = FidoWorker::crew(
        &filled.store,
        in_flight,
        settings.streams,
        &bench.sample.text,
    );
    let load = load::measure(crew, settings.duration()).await?;
    filled.acknowledged += load.acknowledged;
    let subject = Subject {
        part: Part::Growth,
        store: Store::Fido,
        in_flight,
        processes: 1,
        events_before: Some(events),
    };
    let figures = bench.cells.record(subject, &load);
    bench.progress.step(&format!(
        "round {}, {in_flight} in flight, {} events before: {} commands/s",
        round + 1,
        grouped(events as f64),
        grouped(figures.commands_per_s)
    ));
    Ok(())
}

async fn end(bench: &mut Bench<'_>, filled: Filled) -> Result<()> {
    let events = u64::try_from(filled.events)?;
    bench
        .tally
        .count_filled(&filled.database.owner, events, filled.acknowledged)
        .await?;
    close_store(filled.store).await;
    bench.server.drop_database(filled.database).await
}
