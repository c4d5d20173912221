//! Random commands from several processes, with lines that are cut, servers that are restarted and
//! processes that die, held against a model. A case is a seed; what fails says which, and
//! `FIDO_SEED=<seed> make soak` runs that case again and again.

mod case;
mod check;
mod falsified;
mod history;
mod lane;
mod order;
mod process;
mod script;
mod totals;
mod world;

use std::iter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::ground::new_cluster;
use lane::{Lane, Server};
use script::RESTART_EVERY;
use totals::Totals;

/// Logs that are written to at once.
const LANES: usize = 8;
const CASES: u64 = 1_000;

type Seeds = Arc<Mutex<dyn Iterator<Item = u64> + Send>>;

/// Runs cases until `seeds` has no more or one is wrong.
async fn run(seeds: impl Iterator<Item = u64> + Clone + Send + 'static) -> Result<Totals, String> {
    let restarts = |seed: &u64| seed.is_multiple_of(RESTART_EVERY);
    let calm: Seeds = Arc::new(Mutex::new(seeds.clone().filter(move |s| !restarts(s))));
    let restarting: Seeds = Arc::new(Mutex::new(seeds.filter(restarts)));
    let server = async || Server::new(new_cluster().await.into());
    // Who restarts a server has it alone.
    let (shared, alone) = tokio::join!(server(), server());
    let totals = Arc::new(Mutex::new(Totals::default()));
    let mut lanes = JoinSet::new();
    lanes.spawn(follow(alone, restarting, Arc::clone(&totals)));
    for _ in 1..LANES {
        let (server, seeds) = (Arc::clone(&shared), Arc::clone(&calm));
        lanes.spawn(follow(server, seeds, Arc::clone(&totals)));
    }
    while let Some(lane) = lanes.join_next().await {
        lane.unwrap()?;
    }
    drop(lanes);
    Ok(std::mem::take(&mut totals.lock().unwrap()))
}

/// Runs the cases that `seeds` names, one after the other.
async fn follow(server: Server, seeds: Seeds, totals: Arc<Mutex<Totals>>) -> Result<(), String> {
    let lane = Arc::new(Lane::start(server).await);
    let next = || seeds.lock().unwrap().next();
    while let Some(seed) = next() {
        let report = case::run(Arc::clone(&lane), seed).await?;
        totals.lock().unwrap().add(&report);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_random_cases_keep_every_promise() {
    let first = fastrand::u64(..1_000_000_000);
    let totals = run(first..first + CASES)
        .await
        .unwrap_or_else(|story| panic!("{story}"));
    assert_eq!(totals.cases, CASES, "{totals}");
    assert_eq!(totals.cut, CASES, "{totals}");
    assert_eq!(totals.restarted, CASES / RESTART_EVERY, "{totals}");
    assert!(totals.faults.iter().all(|struck| *struck >= 50), "{totals}");
    assert!(totals.done > totals.given / 4, "{totals}");
    assert!(totals.replayed > 100, "{totals}");
}

/// `make soak`: rounds of cases for `FIDO_SOAK_MINUTES` (10), of `FIDO_SEED` alone if that is given.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes as long as it is told to"]
#[expect(
    clippy::print_stdout,
    reason = "one waits for it, and wants to see it move"
)]
async fn soak() {
    let minutes = setting("FIDO_SOAK_MINUTES").unwrap_or(10);
    let deadline = Instant::now() + Duration::from_secs(60 * minutes);
    while Instant::now() < deadline {
        let totals = match setting("FIDO_SEED") {
            Some(seed) => run(iter::repeat_n(seed, 100)).await,
            None => {
                let first = fastrand::u64(..1_000_000_000);
                run(first..first + CASES).await
            }
        };
        println!("{}", totals.unwrap_or_else(|story| panic!("{story}")));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line of its own"
)]
pub(crate) fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {value}")),
    )
}
