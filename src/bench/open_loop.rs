//! The load generator of those who do not wait for each other: an open loop. Each arrival has its
//! moment, whatever became of those before, and is measured from that moment on. So a system that
//! stalls is charged with everybody who had to wait (no coordinated omission).

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How fast arrivals come, and for how long.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Pace {
    /// Arrivals in a second.
    pub(super) rate: f64,
    /// How long each measurement takes.
    pub(super) seconds: f64,
}

impl Pace {
    /// `rate` a second for `seconds`.
    ///
    /// # Errors
    /// When that cannot be measured.
    pub(super) fn new(rate: f64, seconds: f64) -> Result<Self> {
        if !(rate > 0.0 && rate <= 1e6) {
            bail!("--rate is more than 0 and at most a million");
        }
        if !(seconds > 0.0 && seconds <= 3600.0) {
            bail!("--seconds is more than 0 and at most 3600");
        }
        Ok(Self { rate, seconds })
    }

    /// How long each measurement takes.
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

/// What came of one arrival.
#[derive(Debug)]
pub(super) struct Arrival<T> {
    /// When it was to begin.
    pub(super) intended: Instant,
    /// When it had ended.
    pub(super) ended: Instant,
    /// What it answered.
    pub(super) outcome: T,
}

impl<T> Arrival<T> {
    /// How long it took, with all waiting.
    pub(super) fn latency(&self) -> Duration {
        self.ended - self.intended
    }
}

/// Begins `act(n)` for n = 0, 1, 2 … evenly, `per_second` times a second for `duration`, and waits for
/// all of them.
///
/// # Errors
/// When one of them fails.
pub(super) async fn open_loop<T, A>(
    per_second: f64,
    duration: Duration,
    act: impl Fn(usize) -> A + Send + 'static,
) -> Result<Vec<Arrival<T>>>
where
    T: Send + 'static,
    A: Future<Output = Result<T>> + Send + 'static,
{
    let arrivals = (per_second * duration.as_secs_f64()).ceil() as usize;
    let runtime = Handle::current();
    let stop = CancellationToken::new();
    let _stopped_with_this = stop.clone().drop_guard();
    // A thread sleeps to some ten microseconds, the runtime's timer to a millisecond.
    let pacing = tokio::task::spawn_blocking(move || {
        let mut tasks = JoinSet::new();
        let begin = Instant::now();
        for n in 0..arrivals {
            if stop.is_cancelled() {
                break;
            }
            let intended = begin + Duration::from_secs_f64(n as f64 / per_second);
            std::thread::sleep(intended.saturating_duration_since(Instant::now()));
            let acting = act(n);
            let arrival = async move {
                let outcome = acting.await?;
                let ended = Instant::now();
                anyhow::Ok(Arrival {
                    intended,
                    ended,
                    outcome,
                })
            };
            tasks.spawn_on(arrival, &runtime);
        }
        tasks
    });
    let mut tasks = pacing.await.context("the load generator broke off")?;
    let mut ended = Vec::with_capacity(tasks.len());
    while let Some(arrival) = tasks.join_next().await {
        ended.push(arrival.context("an arrival broke off")??);
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn whoever_has_to_wait_for_others_is_charged_for_it() {
        // One at a time, ten milliseconds each, twice as fast as that: the queue grows.
        let one = Arc::new(Semaphore::new(1));
        let act = move |n| {
            let one = one.clone();
            async move {
                let _turn = one.acquire().await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(n)
            }
        };
        let arrivals = open_loop(200.0, Duration::from_millis(200), act)
            .await
            .unwrap();
        let mut outcomes: Vec<usize> = arrivals.iter().map(|arrival| arrival.outcome).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, (0..40).collect::<Vec<_>>());
        let first = arrivals
            .iter()
            .map(|arrival| arrival.intended)
            .min()
            .unwrap();
        let last = arrivals
            .iter()
            .max_by_key(|arrival| arrival.intended)
            .unwrap();
        assert!(last.intended - first >= Duration::from_millis(194));
        // Forty turns of ten milliseconds, of which the last to come has seen half.
        let slowest = arrivals.iter().map(Arrival::latency).max().unwrap();
        assert!(slowest >= Duration::from_millis(150), "{slowest:?}");
    }

    #[tokio::test]
    async fn one_failure_fails_all() {
        let act = |n| async move { if n == 3 { anyhow::bail!("no") } else { Ok(()) } };
        assert!(
            open_loop(1_000.0, Duration::from_millis(10), act)
                .await
                .is_err()
        );
    }
}
