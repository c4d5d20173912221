//! Many processes, each a little way from the database, none of them in a hurry: what matters then is
//! not how many commands there are in a second but how long the slowest of them wait for the lock.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::cells::{Store, Subject};
use super::far::Far;
use super::processes::{Pace, Place, measure};
use super::settings::Part;
use crate::bench::table::grouped;

/// Processes that append.
const PROCESSES: usize = 20;
/// Commands that all of them issue in a second, together.
const PER_SECOND: usize = 500;
/// How long the way to the database and back takes.
const WAY: Duration = Duration::from_millis(5);

/// Connections that the server must take.
pub(super) const CONNECTIONS: usize = PROCESSES * crate::pools::POOL as usize;

pub(super) async fn run(bench: &mut Bench<'_>) -> Result<()> {
    let far = Far::from(&bench.arena.app, WAY).await?;
    for round in 0..bench.settings.rounds {
        let place = Place {
            events_url: far.url(),
            pace: Pace::Open {
                per_second: PER_SECOND / PROCESSES,
            },
        };
        let load = measure(bench, &place, PROCESSES, PROCESSES).await?;
        bench.tally.acknowledged(Store::Fido, load.acknowledged);
        let subject = Subject {
            part: Part::Distance,
            store: Store::Fido,
            in_flight: PROCESSES,
            processes: PROCESSES,
            events_before: None,
        };
        let figures = bench.cells.record(subject, &load);
        bench.progress.step(&format!(
            "round {}, {PROCESSES} processes {} ms away: {} commands/s, p99 {} ms",
            round + 1,
            WAY.as_millis(),
            grouped(figures.commands_per_s),
            figures.p99_ms
        ));
    }
    Ok(())
}
