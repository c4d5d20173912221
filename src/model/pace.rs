//! When each token of an answer is due, so that it streams as a real model's would.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Options;

/// The timetable of one answer. Due times count from its beginning, so that delays do not add up.
#[derive(Debug)]
pub(super) struct Pace {
    first: Instant,
    interval: Duration,
    hurry: CancellationToken,
}

impl Pace {
    /// The timetable of an answer that begins now. Once `hurry` is cancelled everything is due.
    pub(super) fn begin(options: Options, hurry: CancellationToken) -> Self {
        let second = Duration::from_secs(1);
        Self {
            first: Instant::now() + Duration::from_millis(options.first_token_ms),
            interval: second
                .checked_div(options.tokens_per_second)
                .unwrap_or_default(),
            hurry,
        }
    }

    /// Waits until token number `nth`, counted from 0, is due.
    pub(super) async fn wait_for(&self, nth: usize) {
        let due = self.due(nth);
        if due > Instant::now() {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                () = self.hurry.cancelled() => {}
            }
        }
    }

    fn due(&self, nth: usize) -> Instant {
        let nth = u32::try_from(nth).unwrap_or(u32::MAX);
        self.first + self.interval.saturating_mul(nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(first_token_ms: u64, tokens_per_second: u32) -> Pace {
        let options = Options {
            first_token_ms,
            tokens_per_second,
        };
        Pace::begin(options, CancellationToken::new())
    }

    #[test]
    fn tokens_come_at_the_speed_that_was_asked_for() {
        let begun = Instant::now();
        let pace = pace(500, 10);
        assert!(pace.due(0) - begun >= Duration::from_millis(500));
        assert_eq!(pace.due(20) - pace.due(0), Duration::from_secs(2));
    }

    #[test]
    fn speed_zero_has_no_pauses() {
        let pace = pace(0, 0);
        assert_eq!(pace.due(100_000), pace.due(0));
    }

    #[tokio::test]
    async fn a_hurry_ends_all_waiting() {
        let pace = pace(3_600_000, 1);
        pace.hurry.cancel();
        let waited = tokio::time::timeout(Duration::from_secs(5), pace.wait_for(7)).await;
        assert!(waited.is_ok());
    }
}
