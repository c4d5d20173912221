//! The load generator: a closed loop. Each worker has one command in flight, and issues the next
//! when the last is acknowledged.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

/// Room for latencies that is made before the clock starts.
const LATENCIES: usize = 8192;

/// Whoever issues one command after the other.
pub(super) trait Worker: Send + 'static {
    /// How many streams it writes to, in turn.
    fn streams(&self) -> usize;

    /// Issues the next command and waits until it is acknowledged, which means durable.
    fn command(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// How often a command was issued again because somebody else was faster.
    fn conflicts(&self) -> u64 {
        0
    }
}

/// What a number of workers have done.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Load {
    /// How long each command took that was measured, in microseconds, in no order.
    pub(super) latencies_us: Vec<u32>,
    /// From the first command to the last acknowledgement.
    pub(super) elapsed: Duration,
    /// Commands acknowledged, with those that were not measured.
    pub(super) acknowledged: u64,
    /// Commands issued again because somebody else was faster.
    pub(super) conflicts: u64,
}

impl Load {
    /// What several processes have done in the same time.
    pub(super) fn joined(parts: Vec<Self>) -> Self {
        parts.into_iter().fold(Self::default(), |mut sum, part| {
            sum.latencies_us.extend(part.latencies_us);
            sum.elapsed = sum.elapsed.max(part.elapsed);
            sum.acknowledged += part.acknowledged;
            sum.conflicts += part.conflicts;
            sum
        })
    }
}

/// One command to each stream, unmeasured: the streams exist then, and so do connections and plans.
pub(super) async fn warm_up<W: Worker>(workers: Vec<W>) -> Result<Vec<W>> {
    let mut tasks = JoinSet::new();
    for mut worker in workers {
        tasks.spawn(async move {
            for _ in 0..worker.streams() {
                worker.command().await?;
            }
            Ok(worker)
        });
    }
    all(tasks).await
}

/// Lets each worker issue commands for `duration`; one that began within it is waited for.
pub(super) async fn closed_loop<W: Worker>(workers: Vec<W>, duration: Duration) -> Result<Load> {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for mut worker in workers {
        tasks.spawn(async move {
            let mut latencies_us = Vec::with_capacity(LATENCIES);
            let mut now = Instant::now();
            while now - began < duration {
                worker.command().await?;
                let done = Instant::now();
                latencies_us.push(u32::try_from((done - now).as_micros()).unwrap_or(u32::MAX));
                now = done;
            }
            let acknowledged = latencies_us.len() + worker.streams();
            Ok(Load {
                latencies_us,
                elapsed: now - began,
                acknowledged: acknowledged as u64,
                conflicts: worker.conflicts(),
            })
        });
    }
    Ok(Load::joined(all(tasks).await?))
}

/// Warms up, then measures.
pub(super) async fn measure<W: Worker>(workers: Vec<W>, duration: Duration) -> Result<Load> {
    closed_loop(warm_up(workers).await?, duration).await
}

async fn all<T: 'static>(mut tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(task) = tasks.join_next().await {
        done.push(task.context("a worker broke off")??);
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting {
        streams: usize,
        commands: u64,
    }

    impl Worker for Counting {
        fn streams(&self) -> usize {
            self.streams
        }

        async fn command(&mut self) -> Result<()> {
            self.commands += 1;
            tokio::task::yield_now().await;
            Ok(())
        }

        fn conflicts(&self) -> u64 {
            self.commands
        }
    }

    #[tokio::test]
    async fn every_command_is_counted_and_only_the_measured_ones_are_timed() {
        let workers = [3, 4].map(|streams| Counting {
            streams,
            commands: 0,
        });
        let load = measure(workers.into(), Duration::from_millis(5))
            .await
            .unwrap();
        assert!(load.elapsed >= Duration::from_millis(5));
        assert_eq!(
            load.acknowledged, load.conflicts,
            "what the workers counted"
        );
        assert_eq!(load.acknowledged, load.latencies_us.len() as u64 + 7);
    }
}
