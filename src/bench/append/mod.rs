//! `fido bench append`: what one durable command costs in Fido's event store, in postgres-es, and as
//! a bare insert of one row; on one server, in turns, the same payloads.
//!
//! Every command is acknowledged only when it is on the disk, for all three. Each worker has streams
//! of its own, so nobody waits for another's stream; they are new for each measurement, so that
//! nobody loads longer streams than the others did. Afterwards each log must hold exactly what was
//! acknowledged.

mod cells;
mod contest;
mod distance;
mod far;
mod fido;
mod fill;
mod growth;
mod notebook;
mod postgres_es;
mod processes;
mod ratios;
mod raw_insert;
mod report;
mod sample;
mod settings;
mod streams;
mod tally;
mod words;

use std::io::IsTerminal;

use anyhow::{Result, bail};
use fido_commands::EventStore;
use tokio_util::sync::CancellationToken;

use super::facts::Facts;
use super::progress::Progress;
use super::server::{Database, Server, on_server};
use super::store::open_store;
use cells::{Cells, Store};
use report::Report;
use sample::{SAMPLES, Sample};
use settings::{Part, Settings};
use tally::Tally;

pub use processes::{WorkerArgs, work};
pub use settings::AppendArgs;

/// What `--help` ends with.
pub(super) const EXAMPLES: &str = "\
Examples:
  fido bench append                           everything, on a private server (about 6 minutes)
  fido bench append --quick                   does it work? (a few seconds)
  fido bench append --only contest --in-flight 64 --rounds 5
  fido bench append --json > append.json      machine, settings, all cells, ratios

The private server keeps its files in the system's temporary folder (TMPDIR) and removes them
afterwards; on a file system in memory a flush costs nothing, and the ratios say little.
With --events-owner-url a given server is measured: databases of its own are made there, filled by
their owner (a right that Fido itself never has), and dropped afterwards.";

/// What all parts of the measurement share.
struct Bench<'a> {
    server: &'a mut Server,
    settings: &'a Settings,
    /// Where the contest takes place.
    arena: Database,
    store: EventStore,
    sample: Sample,
    progress: Progress,
    cells: Cells,
    tally: Tally,
}

/// Measures, and answers with the report.
///
/// # Errors
/// As [`super::run`].
pub(super) async fn run(args: &AppendArgs, shutdown: CancellationToken) -> Result<String> {
    let settings = Settings::of(args)?;
    let report = on_server(
        &args.server,
        settings.connections(),
        shutdown,
        async |server| measure(server, &settings).await,
    )
    .await?;
    let text = if args.json {
        serde_json::to_string_pretty(&report)?
    } else if std::io::stdout().is_terminal() {
        words::table(&report)
    } else {
        words::lines(&report)
    };
    Ok(text)
}

async fn measure(server: &mut Server, settings: &Settings) -> Result<Report> {
    let machine = Facts::find(server.admin()).await?;
    let arena = server.make_database("arena").await?;
    let store = open_store(&arena.app_url()).await?;
    let sample = Sample::find(&store, &arena.owner).await?;
    let mut bench = Bench {
        progress: Progress::new(steps(settings)),
        server,
        settings,
        arena,
        store,
        sample,
        cells: Cells::default(),
        tally: Tally::default(),
    };
    bench.tally.acknowledged(Store::Fido, SAMPLES);
    if settings.has(Part::Contest) {
        contest::run(&mut bench).await?;
    }
    if settings.has(Part::Processes) {
        processes::run(&mut bench).await?;
    }
    if settings.has(Part::Distance) {
        distance::run(&mut bench).await?;
    }
    if settings.has(Part::Growth) {
        growth::run(&mut bench).await?;
    }
    bench.tally.count_arena(&bench.arena.owner).await?;
    if let Some(wrong) = bench.tally.wrong() {
        bail!("{wrong}");
    }
    Ok(Report::of(
        machine,
        bench.settings,
        bench.cells,
        bench.tally,
    ))
}

fn steps(settings: &Settings) -> usize {
    let contest = contest::steps(settings);
    let growth = settings.events_before.len() * settings.rounds;
    [
        (Part::Contest, contest),
        (Part::Processes, 2 * settings.rounds),
        (Part::Distance, settings.rounds),
        (Part::Growth, growth),
    ]
    .into_iter()
    .filter(|(part, _)| settings.has(*part))
    .map(|(_, steps)| steps)
    .sum()
}
