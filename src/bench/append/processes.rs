//! Several processes on one log: real ones, each with connections of its own, against one process
//! with as many commands in flight as all of them together.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Bench;
use super::cells::{Store, Subject};
use super::fido::FidoWorker;
use super::notebook::note;
use super::settings::Part;
use crate::bench::load::{self, Load};
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
    let load = load::closed_loop(crew, Duration::from_secs_f64(args.seconds)).await?;
    Ok(serde_json::to_string(&load)?)
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
            let load = measure(bench, processes, in_flight).await?;
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

async fn measure(bench: &Bench<'_>, processes: usize, in_flight: usize) -> Result<Load> {
    let mut started = Vec::with_capacity(processes);
    for n in 0..processes {
        started.push(Process::start(
            bench,
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
    fn start(bench: &Bench<'_>, in_flight: usize, streams: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["bench", "append-worker", "--log", "warn"])
            .args(["--in-flight", &in_flight.to_string()])
            .args(["--streams", &streams.to_string()])
            .args(["--text-bytes", &bench.sample.text.len().to_string()])
            .args(["--seconds", &bench.settings.seconds.to_string()])
            .env("FIDO_EVENTS_URL", bench.arena.app_url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
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
