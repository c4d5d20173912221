//! `fido bench query`: how long the API's reading queries take on a filled replica while so many
//! arrive each second, beside a bare `select 1` through the same pool at the same rate.
//!
//! What is measured is what a handler does before it opens sealed content: the choice of a replica,
//! the snapshot with its position, and the query in it.

mod cases;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use fido_commands::log::Log;
use fido_projections::rebuild::{Progress as Told, Rebuild};
use fido_projections::{Replica, Replicas};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::facts::Facts;
use super::figures::Spread;
use super::mix::{Cast, checkpoint, fill};
use super::open_loop::{Arrival, open_loop};
use super::outcome::{Goal, Latency, Outcome};
use super::progress::{Progress, note};
use super::ratio::Bound;
use super::server::{Database, Server, on_server};
use super::table::grouped;
use crate::{pools, roles};
use cases::{Cases, Kind};
use settings::Settings;

pub use settings::QueryArgs;

/// What `--help` ends with.
pub(super) const EXAMPLES: &str = "\
Examples:
  fido bench query                            100,000 events, 1,000 queries/s (about 2 minutes)
  fido bench query --quick                    does it work? (a few seconds)
  fido bench query --events 1000000 --rate 2000 --seconds 30
  fido bench query --json > query.json

Queries arrive evenly, whatever became of those before, and each is measured from the moment at which it
was to begin: one that waits for a connection is charged with waiting. They are asked in turn of people
and plans at random: 51 conversations of an account, 51 messages of a conversation, 51 plans of an account,
the nine sections of a plan, the last 20 events of an account's timeline.
Databases are made on the server and dropped afterwards.";

/// More than all pools ever open.
const CONNECTIONS: u32 = 100;
/// What is wanted of 99 of 100 queries.
const WANTED_MS: f64 = 10.0;
const ALL: &str = "all queries";
const BARE: &str = "select 1";

/// Measures, and answers with the report.
///
/// # Errors
/// As [`super::run`].
pub(super) async fn run(args: &QueryArgs, shutdown: CancellationToken) -> Result<String> {
    let settings = Settings::of(args)?;
    let outcome = on_server(&args.server, CONNECTIONS, shutdown, async |server| {
        measure(server, &settings).await
    });
    outcome.await?.text(args.json)
}

async fn measure(server: &mut Server, settings: &Settings) -> Result<Outcome<Settings, Latency>> {
    let machine = Facts::find(server.admin()).await?;
    let replica = filled(server, settings.events).await?;
    let cases = Arc::new(Cases::find(&replica.owner).await?);
    let pool = pools::replica(&replica.app_url())?;
    let replicas = Replicas::new([Replica {
        name: "bench".to_owned(),
        pool: pool.clone(),
        is_reserved: false,
    }]);
    let bench = Bench {
        settings,
        pool,
        replicas,
        cases,
    };
    note("      warming up");
    bench.select_one(settings.warm_up()).await?;
    bench.query(settings.warm_up()).await?;
    let (mut bare, mut queries) = (Vec::new(), Vec::new());
    let mut progress = Progress::new(2 * settings.rounds);
    for round in 0..settings.rounds {
        // Whoever comes second might profit from the first: they take turns.
        for first in [round % 2 == 0, round % 2 == 1] {
            let what = if first {
                bare.push(bench.select_one(settings.pace.duration()).await?);
                (BARE, bare.last())
            } else {
                queries.push(bench.query(settings.pace.duration()).await?);
                (ALL, queries.last())
            };
            if let (what, Some(arrivals)) = what {
                let spread = spread(arrivals, |_| true);
                progress.step(&format!(
                    "round {}, {what}: p50 {} ms, p99 {} ms",
                    round + 1,
                    spread.p50_ms,
                    spread.p99_ms
                ));
            }
        }
    }
    bench.pool.close().await;
    Ok(outcome(machine, settings, &bare, &queries))
}

/// A replica that shows a log of `events` events.
async fn filled(server: &mut Server, events: usize) -> Result<Database> {
    let cast = Cast::perform(server).await?;
    note(&format!("      filling a log with {events} events"));
    let database = server.make_database("log").await?;
    fill(&database.owner, &cast, events).await?;
    note("      replaying it into a replica");
    let log: Log = roles::open_log(&database.app_url()).await?;
    let replica = server.make_empty_database("replica").await?;
    let mut rebuild = Rebuild::begin(replica.owner_options(), log, "of a bench").await?;
    rebuild.replay(&|_: Told| {}).await?;
    let switched = rebuild.switch(&|_: Told| {}).await?;
    ensure!(
        usize::try_from(switched.position)? == events,
        "the replica stands at {}, not at {events}",
        switched.position
    );
    server.drop_database(database).await?;
    checkpoint(server.admin()).await;
    Ok(replica)
}

/// What all rounds share.
struct Bench<'a> {
    settings: &'a Settings,
    pool: PgPool,
    replicas: Replicas,
    cases: Arc<Cases>,
}

/// What a query was about; none of a bare statement.
type Asked = Vec<Arrival<Option<Kind>>>;

impl Bench<'_> {
    async fn select_one(&self, duration: Duration) -> Result<Asked> {
        let pool = self.pool.clone();
        let act = move |_| {
            let pool = pool.clone();
            async move {
                let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
                ensure!(one == 1, "select 1 is {one}");
                Ok(None)
            }
        };
        open_loop(self.settings.pace.rate, duration, act).await
    }

    async fn query(&self, duration: Duration) -> Result<Asked> {
        let (replicas, cases) = (self.replicas.clone(), self.cases.clone());
        let act = move |n| {
            let (replicas, cases) = (replicas.clone(), cases.clone());
            async move {
                let kind = Kind::ALL[n % Kind::ALL.len()];
                cases.ask(&replicas, kind, n).await?;
                Ok(Some(kind))
            }
        };
        open_loop(self.settings.pace.rate, duration, act).await
    }
}

fn spread(arrivals: &Asked, of: impl Fn(Option<Kind>) -> bool) -> Spread {
    let chosen = arrivals.iter().filter(|arrival| of(arrival.outcome));
    Spread::of(chosen.map(Arrival::latency))
}

fn outcome(
    machine: Facts,
    settings: &Settings,
    bare: &[Asked],
    queries: &[Asked],
) -> Outcome<Settings, Latency> {
    let spreads = |rounds: &[Asked], of: &dyn Fn(Option<Kind>) -> bool| -> Vec<Spread> {
        rounds.iter().map(|round| spread(round, of)).collect()
    };
    let all = Latency::new(ALL, spreads(queries, &|_| true));
    let bare = Latency::new(BARE, spreads(bare, &|_| true));
    let goal = Goal::new(
        format!("p99 of {ALL}, ms"),
        all.medians.p99_ms,
        Bound::AtMost(WANTED_MS),
    );
    let ratios = vec![
        all.by(&bare, "p50", |spread| spread.p50_ms),
        all.by(&bare, "p99", |spread| spread.p99_ms),
    ];
    let of_kind = |kind: Kind| {
        let of = |found| found == Some(kind);
        Latency::new(kind.as_str(), spreads(queries, &of))
    };
    let mut cells: Vec<Latency> = Kind::ALL.into_iter().map(of_kind).collect();
    cells.extend([all, bare]);
    Outcome {
        bench: "query",
        heading: vec![format!(
            "Querying a replica of {} events, {} arrivals/s; medians of {} rounds of {} s",
            grouped(settings.events as f64),
            grouped(settings.pace.rate),
            settings.rounds,
            settings.pace.seconds
        )],
        machine,
        settings: settings.clone(),
        cells,
        goals: vec![goal],
        ratios,
    }
}
