//! Several processes on one log: real ones, each with connections of its own, against one process
//! with as many commands in flight as all of them together.

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use super::Bench;
use super::cells::{Store, Subject};
use super::fido::FidoWorker;
use super::notebook::note;
use super::settings::Part;
use crate::bench::load::{self, Load, Worker};
use crate::bench::open_loop::{Arrival, open_loop};
use crate::bench::store::open_store;
use crate::bench::table::grouped;

/// What a process says when it has warmed up.
const READY: &str = "ready";
/// What lets it begin.
const GO: &[u8] = b"go\n";

/// `fido bench append-worker`.
#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// The event store, as role fido_app.
    #[arg(long, env = "FIDO_EVENTS_URL", hide_env_values = true)]
    events_url: String,
    /// Commands in flight.
    #[arg(long)]
    in_flight: usize,
    /// Streams to write to.
    #[arg(long)]
    streams: usize,
    /// How long a note is, in bytes.
    #[arg(long)]
    text_bytes: usize,
    /// How long to write, in seconds.
    #[arg(long)]
    seconds: f64,
    /// Commands to begin in a second, whatever became of those before; without it the next begins
    /// when one is acknowledged.
    #[arg(long)]
    per_second: Option<usize>,
}

/// Where processes write to, and how.
pub(super) struct Place {
    /// The event store, as role fido_app.
    pub(super) events_url: String,
    /// When commands begin.
    pub(super) pace: Pace,
}

/// When the commands of a process begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// When one is acknowledged.
    Closed,
    /// Evenly, so many in a second.
    Open {
        /// Of each process.
        per_second: usize,
    },
}

/// Warms up, waits for the sign on standard input, writes, and answers with what was done, as JSON.
///
/// # Errors
/// When a command fails, or whoever started this process has gone.
pub async fn work(args: &WorkerArgs) -> Result<String> {
    let store = open_store(&args.events_url).await?;
    let crew = FidoWorker::crew(&store, args.in_flight, args.streams, &note(args.text_bytes));
    let crew = load::warm_up(crew).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{READY}")?;
    stdout.flush()?;
    // Nothing else is to be done meanwhile, so waiting may block.
    if std::io::stdin().read_line(&mut String::new())? == 0 {
        bail!("whoever started this process has gone");
    }
    let duration = Duration::from_secs_f64(args.seconds);
    let load = match args.per_second {
        None => load::closed_loop(crew, duration).await?,
        Some(per_second) => evenly(crew, per_second, duration).await?,
    };
    Ok(serde_json::to_string(&load)?)
}

/// Begins commands evenly, those of `crew` in turn. Each is measured from when it was to begin.
async fn evenly(crew: Vec<FidoWorker>, per_second: usize, duration: Duration) -> Result<Load> {
    let warmed_up: usize = crew.iter().map(Worker::streams).sum();
    let crew: Arc<[Mutex<FidoWorker>]> = crew.into_iter().map(Mutex::new).collect();
    let began = Instant::now();
    let act = move |n: usize| {
        let crew = Arc::clone(&crew);
        async move { crew[n % crew.len()].lock().await.command().await }
    };
    let arrivals = open_loop(per_second as f64, duration, act).await?;
    let latency = |arrival: &Arrival<()>| u32::try_from(arrival.latency().as_micros());
    Ok(Load {
        latencies_us: arrivals
            .iter()
            .map(|arrival| latency(arrival).unwrap_or(u32::MAX))
            .collect(),
        elapsed: began.elapsed(),
        acknowledged: (warmed_up + arrivals.len()) as u64,
        conflicts: 0,
    })
}

pub(super) async fn run(bench: &mut Bench<'_>) -> Result<()> {
    let settings = bench.settings;
    let in_flight = settings.in_flight_elsewhere;
    for round in 0..settings.rounds {
        let mut counts = [1, settings.processes];
        if round % 2 == 1 {
            counts.reverse();
        }
        for processes in counts {
            let place = Place {
                events_url: bench.arena.app_url(),
                pace: Pace::Closed,
            };
            let load = measure(bench, &place, processes, in_flight).await?;
            bench.tally.acknowledged(Store::Fido, load.acknowledged);
            let subject = Subject {
                part: Part::Processes,
                store: Store::Fido,
                in_flight,
                processes,
                events_before: None,
            };
            let figures = bench.cells.record(subject, &load);
            bench.progress.step(&format!(
                "round {}, {in_flight} in flight, {processes} {}: {} commands/s",
                round + 1,
                if processes == 1 {
                    "process"
                } else {
                    "processes"
                },
                grouped(figures.commands_per_s)
            ));
        }
    }
    Ok(())
}

/// Lets `processes` write at the same time; what all of them have done.
pub(super) async fn measure(
    bench: &Bench<'_>,
    place: &Place,
    processes: usize,
    in_flight: usize,
) -> Result<Load> {
    let mut started = Vec::with_capacity(processes);
    for n in 0..processes {
        started.push(Process::start(
            bench,
            place,
            share(in_flight, processes, n),
            share(bench.settings.streams, processes, n),
        )?);
    }
    for process in &mut started {
        process.becomes_ready().await?;
    }
    for process in &mut started {
        process.stdin.write_all(GO).await?;
    }
    let mut loads = Vec::with_capacity(processes);
    for process in started {
        loads.push(process.load().await?);
    }
    Ok(Load::joined(loads))
}

/// The part of the `n`th of `shares` in `whole`.
fn share(whole: usize, shares: usize, n: usize) -> usize {
    whole / shares + usize::from(n < whole % shares)
}

/// A process of this binary that appends.
struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(bench: &Bench<'_>, place: &Place, in_flight: usize, streams: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["bench", "append-worker", "--log", "warn"])
            .args(["--in-flight", &in_flight.to_string()])
            .args(["--streams", &streams.to_string()])
            .args(["--text-bytes", &bench.sample.text.len().to_string()])
            .args(["--seconds", &bench.settings.seconds.to_string()])
            .env("FIDO_EVENTS_URL", &place.events_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if let Pace::Open { per_second } = place.pace {
            command.args(["--per-second", &per_second.to_string()]);
        }
        let mut child = command.spawn().context("a process was not started")?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            child,
            stdin: stdin.context("a process has no input")?,
            lines: BufReader::new(stdout.context("a process has no output")?).lines(),
        })
    }

    async fn becomes_ready(&mut self) -> Result<()> {
        match self.lines.next_line().await? {
            Some(line) if line == READY => Ok(()),
            other => bail!("a process did not become ready: {other:?}"),
        }
    }

    async fn load(mut self) -> Result<Load> {
        let line = self.lines.next_line().await?;
        let status = self.child.wait().await?;
        let line = line.with_context(|| format!("a process ended with {status}"))?;
        Ok(serde_json::from_str(&line)?)
    }
}
