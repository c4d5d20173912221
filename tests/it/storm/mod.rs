//! Three replicas under load while projectors, relay and broker are killed again and again, and the
//! broker's store is wiped: in the end everything is as if nothing had happened. A storm is a seed,
//! which a failure says, and `FIDO_SEED=<seed> make storm` raises it again.

mod check;
mod listeners;
mod scene;
mod script;
mod writers;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::app::http_client;
use crate::properties::setting;
use crate::until::until;
use listeners::Listeners;
use scene::Scene;
use script::{Step, Then};
use writers::Writers;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a storm wants the machine for itself; `make storm` raises the long one"]
async fn eight_kills_and_a_wipe_lose_and_repeat_nothing() {
    let report = storm(8, 1).await;
    assert!(report.resumed >= 8, "{report}");
}

/// `make storm`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
#[expect(
    clippy::print_stdout,
    reason = "one waits for it, and wants to see what held"
)]
async fn thirty_kills_and_two_wipes_lose_and_repeat_nothing() {
    println!("{}", storm(30, 2).await);
}

/// What is said when a storm does harm.
struct Warning {
    seed: u64,
    said_in: PathBuf,
}

impl Drop for Warning {
    #[expect(
        clippy::print_stderr,
        reason = "a panic elsewhere has its own words already"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said_in = self.said_in.display();
            eprintln!(
                "this was the storm of FIDO_SEED={}; what the processes said is in {said_in}",
                self.seed
            );
        }
    }
}

/// What was tried, and what held.
#[derive(Default)]
struct Report {
    seed: u64,
    kills: BTreeMap<String, usize>,
    wipes: usize,
    commands: usize,
    events: usize,
    clients: usize,
    heard: usize,
    /// How often a client has come back.
    resumed: usize,
    farewells: BTreeMap<String, usize>,
    /// How long it took until everybody had seen everything: how often, in all, and at most.
    recoveries: Vec<Duration>,
    took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: usize = self.kills.values().sum();
        let recovered: Duration = self.recoveries.iter().sum();
        let count = u32::try_from(self.recoveries.len()).unwrap_or(1).max(1);
        let slowest = self.recoveries.iter().max().copied().unwrap_or_default();
        writeln!(
            f,
            "Storm {} of {:.0?}: {total} kills {:?}, {} of them with the store wiped.",
            self.seed, self.took, self.kills, self.wipes
        )?;
        writeln!(
            f,
            "{} commands, {} events; all replicas and a fresh replay equal, positions dense.",
            self.commands, self.events
        )?;
        writeln!(
            f,
            "{} SSE clients came back {} times {:?} and heard {} events, each once and in order.",
            self.clients, self.resumed, self.farewells, self.heard
        )?;
        write!(
            f,
            "All had seen everything again after {:.1?} on average, {slowest:.1?} at most ({} times).",
            recovered / count,
            self.recoveries.len()
        )
    }
}

async fn storm(kills: usize, wipes: usize) -> Report {
    let seed = setting("FIDO_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let mut rng = Rng::with_seed(seed);
    let began = Instant::now();
    let mut scene = Scene::begin(seed).await;
    let warning = Warning {
        seed,
        said_in: scene.said_in().to_owned(),
    };
    let http = http_client();
    let writers = Writers::begin(&scene, &http, &mut rng).await;
    let listeners = Listeners::begin(&scene, &writers, &http, &mut rng);
    let mut report = Report {
        seed,
        ..Report::default()
    };
    // The first part dies under load, not at the start.
    writers.more(200).await;
    let steps = script::write(&mut rng, kills, wipes);
    rage(&mut scene, &writers, &listeners, steps, &mut report).await;
    writers.more(200).await;
    let done = writers.end().await;
    recovery(&scene, &listeners).await;

    let head = scene.head().await;
    let log = scene.log.after(0, i64::MAX).await.unwrap();
    check::log_is_what_was_acknowledged(&log, &done);
    check::everybody_shows_it(&scene, head, &done).await;
    for listener in listeners.end().await {
        check::heard_everything(&log, &listener);
        report.clients += 1;
        report.heard += listener.heard.len();
        report.resumed += listener.streams - 1;
        for (reason, times) in listener.farewells {
            *report.farewells.entry(reason).or_default() += times;
        }
    }
    report.commands = done.len();
    report.events = log.len();
    report.took = began.elapsed();
    std::fs::remove_file(&warning.said_in).unwrap();
    report
}

/// One fault after the other, at random points of the load.
async fn rage(
    scene: &mut Scene,
    writers: &Writers,
    listeners: &Listeners,
    steps: Vec<Step>,
    report: &mut Report,
) {
    let mut down = None;
    for Step { fault, then } in steps {
        if down == Some(fault.part) {
            down = None;
            scene.run(fault.part).await;
        }
        scene.strike(fault).await;
        *report.kills.entry(format!("{:?}", fault.part)).or_default() += 1;
        report.wipes += usize::from(fault.wipes);
        if let Some(part) = down.take() {
            scene.run(part).await;
        }
        match then {
            Then::GoesOn { away, pause } => {
                writers.more(away).await;
                scene.run(fault.part).await;
                writers.more(pause).await;
            }
            Then::Recovers { away } => {
                writers.more(away).await;
                scene.run(fault.part).await;
                report.recoveries.push(recovery(scene, listeners).await);
            }
            Then::Overlaps => down = Some(fault.part),
        }
    }
    if let Some(part) = down {
        scene.run(part).await;
    }
}

/// Waits until every replica shows and every client has heard what is in the log now; how long.
async fn recovery(scene: &Scene, listeners: &Listeners) -> Duration {
    let began = Instant::now();
    let (head, owed) = (scene.head().await, listeners.owed());
    until("everybody has seen what was in the log", async || {
        let shown = scene.positions().await.into_iter().min();
        let heard = listeners.heard();
        shown >= Some(head) && heard.iter().zip(&owed).all(|(heard, owed)| heard >= owed)
    })
    .await;
    began.elapsed()
}
