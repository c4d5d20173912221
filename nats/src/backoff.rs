//! Pauses between tries of a role that never gives up: short at first, longer while nothing works.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The pause after the first failure; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(50);
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(5);

/// How long to wait before the next try.
#[derive(Debug)]
pub struct Backoff {
    pause: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { pause: FIRST }
    }
}

impl Backoff {
    /// Something worked: the next pause is the first again.
    pub fn reset(&mut self) {
        self.pause = FIRST;
    }

    /// Nothing will work soon: the next pause is the longest.
    pub fn lengthen(&mut self) {
        self.pause = LONGEST;
    }

    /// The next pause.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Waits, unless `shutdown` comes first.
    pub async fn wait(&mut self, shutdown: &CancellationToken) {
        shutdown
            .run_until_cancelled(tokio::time::sleep(self.pause))
            .await;
        self.pause = (self.pause * 2).min(LONGEST);
    }
}
