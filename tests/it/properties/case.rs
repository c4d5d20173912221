//! Runs one case and judges it.

use std::fmt::Write;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::check::{Evidence, check};
use super::history::{Entry, History, Outcome};
use super::lane::Lane;
use super::order::Order;
use super::script::{Script, Trouble};
use crate::cut::{Fault, PATIENCE};

/// How often the last command of a process is tried.
const LAST_TRIES: u32 = 50;

/// What a case consisted of.
#[derive(Default)]
pub(super) struct Report {
    /// The faults that struck.
    pub(super) faults: Vec<Fault>,
    pub(super) troubles: Vec<Trouble>,
    /// Commands.
    pub(super) given: usize,
    /// Those of them that were done,
    pub(super) done: usize,
    /// of which so many had been done before, with the same key.
    pub(super) replayed: usize,
    /// Those that were not done or not waited for.
    pub(super) failed: usize,
}

/// Runs the case `seed`; says what is wrong if anything is.
pub(super) async fn run(lane: Arc<Lane>, seed: u64) -> Result<Report, String> {
    let (evidence, report, script) = play(lane, seed).await?;
    let wrong = check(&evidence);
    if wrong.is_empty() {
        return Ok(report);
    }
    Err(story(seed, &wrong, &evidence, &report, &script))
}

/// Runs the case `seed`, without judging it.
pub(super) async fn play(lane: Arc<Lane>, seed: u64) -> Result<(Evidence, Report, Script), String> {
    let mut script = Script::write(seed);
    let before = lane.head().await;
    for (proxy, faults) in lane.proxies().zip(&script.faults) {
        for (after, fault) in faults {
            proxy.arm(*after, *fault);
        }
    }
    let history = Arc::new(History::default());
    let all = async {
        act(&lane, &script, &history).await;
        // What a client has not waited for may still queue in its process; what is last comes after.
        for process in 0..script.processes {
            recover(&lane, &mut script, &history, process).await;
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        return Err(format!(
            "case {seed}: commands are never answered; faults {:?}, troubles {:?}, answered were\n{}",
            script.faults,
            script.troubles,
            told(&history.entries())
        ));
    }
    let mut report = Report {
        troubles: script
            .troubles
            .iter()
            .map(|(_, trouble)| *trouble)
            .collect(),
        ..Report::default()
    };
    report.faults = lane.settle().await;
    let mut log = lane.log(before.saturating_sub(1)).await;
    let evidence = Evidence {
        calm: script.is_calm(),
        previous: (before > 0).then(|| log.remove(0)),
        before,
        head: lane.head().await,
        log,
        streams: lane.streams(script.cast()).await,
        claims: lane.claims(script.cast()).await,
        receipts: lane.receipts(script.cast()).await,
        entries: history.entries(),
    };
    report.given = evidence.entries.len();
    for entry in &evidence.entries {
        match &entry.outcome {
            Outcome::Acknowledged(committed) => {
                report.done += 1;
                report.replayed += usize::from(committed.replayed);
            }
            Outcome::NotDone(_) | Outcome::Broken(_) | Outcome::Abandoned => report.failed += 1,
            Outcome::Refused(_) | Outcome::ClaimTaken(_) | Outcome::KeyReused => {}
        }
    }
    Ok((evidence, report, script))
}

/// Gives `process` commands until one is done.
async fn recover(lane: &Lane, script: &mut Script, history: &History, process: usize) {
    for _ in 0..LAST_TRIES {
        let last = script.last_order(process);
        if let Outcome::Acknowledged(_) = give(lane, history, last).await {
            return;
        }
    }
    panic!("process {process} never recovers");
}

/// Lets all clients do what they have to, and everything go wrong that is to.
async fn act(lane: &Arc<Lane>, script: &Script, history: &Arc<History>) {
    let finished = Arc::new(watch::Sender::new(0));
    let clients = async |all: Vec<Vec<Order>>| {
        let mut clients = JoinSet::new();
        for orders in all {
            let (lane, history) = (Arc::clone(lane), Arc::clone(history));
            let finished = Arc::clone(&finished);
            clients.spawn(async move {
                for order in orders {
                    give(&lane, &history, order).await;
                    finished.send_modify(|finished| *finished += 1);
                }
            });
        }
        clients.join_all().await;
    };
    let openings = script.openings.iter().map(|order| vec![order.clone()]);
    let commands = async {
        clients(openings.collect()).await;
        clients(script.clients.clone()).await;
    };
    let troubles = async {
        let mut finished = finished.subscribe();
        for (after, trouble) in &script.troubles {
            let reached = finished.wait_for(|finished| finished >= after).await;
            drop(reached.unwrap());
            make(lane, *trouble).await;
        }
    };
    tokio::join!(commands, troubles);
}

/// Gives one command to its process, and notes what the client sees.
async fn give(lane: &Lane, history: &History, order: Order) -> Outcome {
    let began = history.tick();
    let mut task = lane.processes[order.process]
        .lock()
        .unwrap()
        .execute(&order);
    let answer = match order.patience {
        None => task.await,
        Some(patience) => match tokio::time::timeout(patience, &mut task).await {
            Ok(answer) => answer,
            Err(_) => {
                task.abort();
                task.await
            }
        },
    };
    let outcome = Outcome::of(answer);
    history.note(Entry {
        order,
        began,
        ended: history.tick(),
        outcome: outcome.clone(),
    });
    outcome
}

async fn make(lane: &Lane, trouble: Trouble) {
    match trouble {
        Trouble::ServerRestarts => lane.server.lock().await.restart().await.unwrap(),
        Trouble::ProcessDies(process) => lane.restart_process(process),
        Trouble::LineIsDown(process, pause) => {
            let line = lane.processes[process].lock().unwrap().proxy();
            line.down();
            tokio::time::sleep(pause).await;
            line.up();
        }
    }
}

/// What was wrong, and everything one has to know to understand how it came to that.
fn story(
    seed: u64,
    wrong: &[String],
    evidence: &Evidence,
    report: &Report,
    script: &Script,
) -> String {
    let mut story = format!("case {seed}:\n");
    for wrong in wrong {
        let _infallible = writeln!(story, "  WRONG  {wrong}");
    }
    let _infallible = writeln!(
        story,
        "faults armed {:?}, struck {:?}, troubles {:?}\ncommands, [given, answered]:\n{}log:",
        script.faults,
        report.faults,
        script.troubles,
        told(&evidence.entries),
    );
    for event in &evidence.log {
        let id = event.metadata().unwrap().command_id;
        let command = evidence
            .entries
            .iter()
            .position(|entry| entry.order.context.command_id == id);
        let _infallible = writeln!(
            story,
            "  {} {} #{} {} by command {command:?}",
            event.position,
            script.cast().name(event.aggregate_id),
            event.sequence,
            event.event_type
        );
    }
    story
}

fn told(entries: &[Entry]) -> String {
    let mut told = String::new();
    for (number, entry) in entries.iter().enumerate() {
        let _infallible = writeln!(
            told,
            "  {number} [{}, {}] {}: {}",
            entry.began, entry.ended, entry.order, entry.outcome
        );
    }
    told
}
