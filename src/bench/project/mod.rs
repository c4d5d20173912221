//! `fido bench project`: how long after its commit a command is visible on a replica, while so many
//! are issued each second; through the real event store, relay, broker and projector.
//!
//! Visible is when the projector's announcement is heard that the replica shows the position: that is
//! what readers who wait for their own writes go by, and it is sent after the replica's commit.

mod hall;
mod heard;
mod settings;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fido_domain::Position;
use futures::stream::{self, StreamExt, TryStreamExt};
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::facts::Facts;
use super::figures::Spread;
use super::mix::{Person, checkpoint};
use super::open_loop::{Arrival, open_loop};
use super::outcome::{Goal, Latency, Outcome};
use super::progress::{Progress, note};
use super::ratio::Bound;
use super::server::{Server, on_server};
use super::table::grouped;
use hall::Hall;
use settings::Settings;

pub use settings::ProjectArgs;

/// What `--help` ends with.
pub(super) const EXAMPLES: &str = "\
Examples:
  fido bench project                          500 commands/s, three times 20 s (about 1.5 minutes)
  fido bench project --quick                  does it work? (a few seconds)
  fido bench project --rate 1000 --seconds 60 --rounds 1
  fido bench project --json > project.json

Event store, relay, nats-server, projector and replica are Fido's own; relay and projector run in this
process as in `fido dev`, so all share the machine with the load. Commands arrive evenly, whatever became
of those before, and are measured from the moment at which each was to begin; people register, talk to
co-pilots and work at plans. A command is committed when it is acknowledged, and visible when the
projector's announcement is heard that the replica shows it. Beside it, on the same server at the same
time, one row is inserted and committed ten times a second.
The nats-server is always a private one; databases are made on the server and dropped afterwards.";

/// More than all pools ever open.
const CONNECTIONS: u32 = 150;
/// What is wanted of 99 of 100 commands.
const WANTED_MS: f64 = 50.0;
/// Commands that people issue before anything is measured, at least; some more than others, so that
/// they are not all in the same place.
const WARM_UP: usize = 4;
/// People who warm up at the same time.
const TOGETHER: usize = 32;
/// How often the bare row is inserted.
const BARE_EVERY: Duration = Duration::from_millis(100);

const ACKNOWLEDGED: &str = "intended to acknowledged";
const VISIBLE: &str = "acknowledged to visible";
const WHOLE: &str = "intended to visible";
const BARE: &str = "one bare insert";

/// What one round yielded.
struct Round {
    acknowledged: Spread,
    visible: Spread,
    whole: Spread,
    bare: Spread,
}

/// Measures, and answers with the report.
///
/// # Errors
/// As [`super::run`].
pub(super) async fn run(args: &ProjectArgs, shutdown: CancellationToken) -> Result<String> {
    let settings = Settings::of(args)?;
    let outcome = on_server(&args.server, CONNECTIONS, shutdown, async |server| {
        measure(server, &settings).await
    });
    outcome.await?.text(args.json)
}

async fn measure(server: &mut Server, settings: &Settings) -> Result<Outcome<Settings, Latency>> {
    let machine = Facts::find(server.admin()).await?;
    let hall = Hall::open(server).await?;
    let rounds = measure_in(&hall, server, settings).await;
    let closed = hall.close().await;
    let rounds = rounds?;
    closed?;
    Ok(outcome(machine, settings, &rounds))
}

async fn measure_in(hall: &Hall, server: &Server, settings: &Settings) -> Result<Vec<Round>> {
    note("      warming up");
    let people = warm_up(hall, settings.people).await?;
    checkpoint(server.admin()).await;
    let mut rounds = Vec::new();
    let mut progress = Progress::new(settings.rounds);
    for n in 0..settings.rounds {
        let round = one_round(hall, &people, settings).await?;
        progress.step(&format!(
            "round {}: acknowledged after p50 {} ms, visible after another p50 {} ms, p99 {} ms",
            n + 1,
            round.acknowledged.p50_ms,
            round.visible.p50_ms,
            round.visible.p99_ms
        ));
        rounds.push(round);
    }
    hall.check().await?;
    Ok(rounds)
}

/// People who are in the middle of something.
async fn warm_up(hall: &Hall, people: usize) -> Result<Arc<[Mutex<Person>]>> {
    let lives = (0..people).map(|number| async move {
        let mut person = Person::new(number);
        let mut position = 0;
        for _ in 0..WARM_UP + number % 10 {
            position = person.act(&hall.store).await?;
        }
        anyhow::Ok((position, person))
    });
    let lived: Vec<(Position, Person)> = stream::iter(lives)
        .buffer_unordered(TOGETHER)
        .try_collect()
        .await?;
    let last = lived.iter().map(|(position, _)| *position).max();
    hall.heard.wait_for(last.unwrap_or_default()).await?;
    Ok(lived
        .into_iter()
        .map(|(_, person)| Mutex::new(person))
        .collect())
}

async fn one_round(
    hall: &Hall,
    people: &Arc<[Mutex<Person>]>,
    settings: &Settings,
) -> Result<Round> {
    let bare = bare(hall).await?;
    let (store, people) = (hall.store.clone(), Arc::clone(people));
    let act = move |n: usize| {
        let (store, people) = (store.clone(), Arc::clone(&people));
        // Everybody's turn comes round; who is not done yet makes their next command wait.
        async move { people[n % people.len()].lock().await.act(&store).await }
    };
    let arrivals = open_loop(settings.pace.rate, settings.pace.duration(), act).await?;
    let last = arrivals.iter().map(|arrival| arrival.outcome).max();
    hall.heard.wait_for(last.unwrap_or_default()).await?;
    let bare = bare.end().await?;
    let mut visible = Vec::with_capacity(arrivals.len());
    for Arrival {
        intended,
        ended,
        outcome,
    } in &arrivals
    {
        let heard = hall.heard.when(*outcome);
        let heard = heard.context("a position was never announced")?;
        // It may be heard of before the acknowledgement is; that is at once.
        visible.push((heard.saturating_duration_since(*ended), heard - *intended));
    }
    Ok(Round {
        acknowledged: Spread::of(arrivals.iter().map(Arrival::latency)),
        visible: Spread::of(visible.iter().map(|(after, _)| *after)),
        whole: Spread::of(visible.iter().map(|(_, whole)| *whole)),
        bare: Spread::of(bare),
    })
}

/// Inserts that go on beside a measurement.
struct Bare {
    enough: CancellationToken,
    inserting: AbortOnDropHandle<Result<Vec<Duration>>>,
}

impl Bare {
    /// How long each took.
    async fn end(self) -> Result<Vec<Duration>> {
        self.enough.cancel();
        self.inserting.await?
    }
}

async fn bare(hall: &Hall) -> Result<Bare> {
    let mut line = PgConnection::connect_with(&hall.replica.owner_options()).await?;
    line.execute("create table if not exists public.bare (n bigint)")
        .await?;
    let enough = CancellationToken::new();
    let stop = enough.clone();
    let inserting = tokio::spawn(async move {
        let mut every = tokio::time::interval(BARE_EVERY);
        let mut took = Vec::new();
        while stop.run_until_cancelled(every.tick()).await.is_some() {
            let begun = Instant::now();
            sqlx::query("insert into public.bare values ($1)")
                .bind(took.len() as i64)
                .execute(&mut line)
                .await?;
            took.push(begun.elapsed());
        }
        line.close().await?;
        ensure!(!took.is_empty(), "nothing was inserted");
        Ok(took)
    });
    Ok(Bare {
        enough,
        inserting: AbortOnDropHandle::new(inserting),
    })
}

fn outcome(machine: Facts, settings: &Settings, rounds: &[Round]) -> Outcome<Settings, Latency> {
    let latency =
        |of, figure: fn(&Round) -> Spread| Latency::new(of, rounds.iter().map(figure).collect());
    let acknowledged = latency(ACKNOWLEDGED, |round| round.acknowledged);
    let visible = latency(VISIBLE, |round| round.visible);
    let whole = latency(WHOLE, |round| round.whole);
    let bare = latency(BARE, |round| round.bare);
    let goal = Goal::new(
        format!("p99 from {VISIBLE}, ms"),
        visible.medians.p99_ms,
        Bound::AtMost(WANTED_MS),
    );
    let ratios = vec![
        visible.by(&bare, "p50", |spread| spread.p50_ms),
        visible.by(&acknowledged, "p50", |spread| spread.p50_ms),
        visible.by(&acknowledged, "p99", |spread| spread.p99_ms),
    ];
    Outcome {
        bench: "project",
        heading: vec![
            format!(
                "From commit to visible on a replica, {} commands/s of {} people; medians of {} rounds of {} s",
                grouped(settings.pace.rate),
                grouped(settings.people as f64),
                settings.rounds,
                settings.pace.seconds
            ),
            "visible: the projector's announcement is heard that the replica shows the position"
                .to_owned(),
        ],
        machine,
        settings: settings.clone(),
        cells: vec![acknowledged, visible, whole, bare],
        goals: vec![goal],
        ratios,
    }
}
