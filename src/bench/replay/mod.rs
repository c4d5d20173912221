//! `fido bench replay`: how fast a log is replayed into a fresh replica, as `fido replica rebuild` does
//! it, beside a plain `copy` of the same event rows into a bare table.
//!
//! Logs of several sizes take turns, so that it shows whether a larger one is replayed as fast.

mod copy;
mod settings;

use std::time::Duration;

use anyhow::{Result, ensure};
use fido_commands::log::Log;
use fido_projections::rebuild::{Progress as Told, Rebuild};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::facts::Facts;
use super::figures::{median, rounded};
use super::mix::{Cast, checkpoint, fill};
use super::outcome::{Cell, Goal, Outcome};
use super::progress::{Progress, note};
use super::ratio::{Bound, Ratio};
use super::server::{Database, Server, on_server};
use super::table::grouped;
use crate::roles;
use settings::Settings;

pub use settings::ReplayArgs;

/// What `--help` ends with.
pub(super) const EXAMPLES: &str = "\
Examples:
  fido bench replay                           100,000 and 1,000,000 events (about 6 minutes, 6 GB of disk)
  fido bench replay --quick                   does it work? (a few seconds)
  fido bench replay --events 10000000 --rounds 1
  fido bench replay --json > replay.json

The log is filled by its owner with copies of what a few people did, under ids of their own: accounts,
conversations, plans, with sealed content. The replay reads it as role fido_app and writes a shadow schema,
exactly as `fido replica rebuild` does. The copy reads the same rows, in the same order, through the same
program, into a table with the same columns and no index; neither waits for its commits.
Databases are made on the server and dropped afterwards.";

/// More than the pools of the log and of the owner ever open.
const CONNECTIONS: u32 = 100;
/// What is wanted of a replay, in events a second.
const WANTED: f64 = 20_000.0;
/// A larger log may be replayed slower by so much and still be called linear.
const LINEAR: f64 = 0.8;

/// What is done with the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Replay,
    Copy,
}

impl Way {
    fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Copy => "copy",
        }
    }
}

/// What was measured: one way with the events of one log.
#[derive(Debug, Clone, Serialize)]
struct Rates {
    way: Way,
    /// How many events the log holds.
    events: usize,
    /// The median of the rounds.
    events_per_s: f64,
    rounds: Vec<f64>,
}

impl Cell for Rates {
    const HEAD: &'static [&'static str] = &["way", "events", "events/s"];
    const NAMES: usize = 1;

    fn row(&self) -> Vec<String> {
        vec![
            self.way.as_str().to_owned(),
            grouped(self.events as f64),
            grouped(self.events_per_s),
        ]
    }
}

/// Measures, and answers with the report.
///
/// # Errors
/// As [`super::run`].
pub(super) async fn run(args: &ReplayArgs, shutdown: CancellationToken) -> Result<String> {
    let settings = Settings::of(args)?;
    let outcome = on_server(&args.server, CONNECTIONS, shutdown, async |server| {
        measure(server, &settings).await
    });
    outcome.await?.text(args.json)
}

async fn measure(server: &mut Server, settings: &Settings) -> Result<Outcome<Settings, Rates>> {
    let machine = Facts::find(server.admin()).await?;
    let cast = Cast::perform(server).await?;
    let mut logs = Vec::new();
    for &events in &settings.events {
        note(&format!("      filling a log with {events} events"));
        let log = server.make_database(&format!("log_{events}")).await?;
        fill(&log.owner, &cast, events).await?;
        logs.push((events, log));
    }
    let mut cells = cells(settings);
    let mut progress = Progress::new(settings.rounds * cells.len());
    for round in 0..settings.rounds {
        let mut order: Vec<usize> = (0..cells.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for n in order {
            let Rates { way, events, .. } = cells[n];
            let Some((_, log)) = logs.iter().find(|(size, _)| *size == events) else {
                continue;
            };
            checkpoint(server.admin()).await;
            let replica = server.make_empty_database("replica").await?;
            let elapsed = match way {
                Way::Replay => replay(log, &replica, events).await?,
                Way::Copy => copy::copy(log, &replica, events).await?,
            };
            server.drop_database(replica).await?;
            let rate = rounded(events as f64 / elapsed.as_secs_f64(), 1.0);
            cells[n].rounds.push(rate);
            progress.step(&format!(
                "round {}, {} of {} events: {} events/s",
                round + 1,
                way.as_str(),
                grouped(events as f64),
                grouped(rate)
            ));
        }
    }
    for cell in &mut cells {
        cell.events_per_s = median(cell.rounds.clone());
    }
    let bytes = match logs.last() {
        Some((_, log)) => bytes(log).await?,
        None => 0,
    };
    Ok(Outcome {
        bench: "replay",
        heading: vec![format!(
            "Replaying a log into a fresh replica, {bytes} bytes an event; medians of {} rounds",
            settings.rounds
        )],
        machine,
        goals: goals(&cells),
        ratios: ratios(&cells),
        settings: settings.clone(),
        cells,
    })
}

/// What is measured, the two ways beside each other.
fn cells(settings: &Settings) -> Vec<Rates> {
    let of = |&events: &usize| {
        [Way::Replay, Way::Copy].map(|way| Rates {
            way,
            events,
            events_per_s: 0.0,
            rounds: Vec::new(),
        })
    };
    settings.events.iter().flat_map(of).collect()
}

async fn replay(log: &Database, replica: &Database, events: usize) -> Result<Duration> {
    let log: Log = roles::open_log(&log.app_url()).await?;
    let mut rebuild = Rebuild::begin(replica.owner_options(), log, "of a bench").await?;
    let replayed = rebuild.replay(&|_: Told| {}).await?;
    let shown: i64 = sqlx::query_scalar("select count(*) from fido_next.audit_timeline")
        .fetch_one(&replica.owner)
        .await?;
    ensure!(
        usize::try_from(shown)? == events,
        "{shown} events are there, not {events}"
    );
    Ok(replayed.elapsed)
}

/// What an event takes on average: payload and metadata.
async fn bytes(log: &Database) -> Result<i64> {
    let average = "select avg(octet_length(payload::text) + octet_length(metadata::text))::bigint \
                   from events where position <= 100000";
    Ok(sqlx::query_scalar(average).fetch_one(&log.owner).await?)
}

fn goals(cells: &[Rates]) -> Vec<Goal> {
    let replays = cells.iter().filter(|cell| cell.way == Way::Replay);
    let goal = |cell: &Rates| {
        let of = format!("replay of {} events, events/s", grouped(cell.events as f64));
        Goal::new(of, cell.events_per_s, Bound::AtLeast(WANTED))
    };
    replays.map(goal).collect()
}

fn ratios(cells: &[Rates]) -> Vec<Ratio> {
    let of_way = |way| cells.iter().filter(move |cell| cell.way == way);
    let by = |of, over: &Rates, under: &Rates, bound| {
        let rounds = over.rounds.iter().zip(&under.rounds);
        Ratio::of_rounds(of, rounds.map(|(over, under)| (*over, *under)), bound)
    };
    let beside = of_way(Way::Replay).zip(of_way(Way::Copy));
    let mut ratios: Vec<Ratio> = beside
        .map(|(replay, copy)| {
            let of = format!(
                "events/s, {} events, replay by copy",
                grouped(replay.events as f64)
            );
            by(of, replay, copy, None)
        })
        .collect();
    if let Some(small) = of_way(Way::Replay).next() {
        ratios.extend(of_way(Way::Replay).skip(1).map(|large| {
            let of = format!(
                "events/s, replay, {} events by {}",
                grouped(large.events as f64),
                grouped(small.events as f64)
            );
            by(of, large, small, Some(Bound::AtLeast(LINEAR)))
        }));
    }
    ratios
}
