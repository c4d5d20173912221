//! How far the stream is behind the log. Behind means that an event has waited for longer than a
//! second: while commands come in, some event is always on its way.

use std::time::Duration;

use fido_commands::log::Log;
use fido_domain::Position;
use tokio::time::Instant;

use super::progress::Progress;

/// How often the lag is looked at, and how long an event may wait.
const LOOK: Duration = Duration::from_secs(1);
/// How often a lag that lasts is told.
const TELL: Duration = Duration::from_secs(10);

/// Watches the lag, and says when the stream falls behind and when it has caught up.
pub(super) async fn watch(log: &Log, progress: &Progress) {
    let mut lag = Lag::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let published = progress.published();
        // The part that publishes says what is wrong with the log.
        let (Some(published), Ok(head)) = (published, log.head().await) else {
            continue;
        };
        if let Some(news) = lag.look(Instant::now(), published, head) {
            tell(news);
        }
        progress.lags(lag.behind.as_ref().map(|behind| behind.since));
    }
}

fn tell(news: News) {
    match news {
        News::Behind { published, lag } => {
            tracing::warn!(
                position = published,
                lag,
                "the event stream has fallen behind the log"
            );
        }
        News::StillBehind {
            published,
            lag,
            per_second,
        } => tracing::warn!(
            position = published,
            lag,
            events_per_second = per_second,
            "the event stream is behind the log"
        ),
        News::CaughtUp { published, took } => tracing::info!(
            position = published,
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "the event stream has caught up with the log"
        ),
    }
}

/// Something to say about the lag.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Behind {
        published: Position,
        lag: Position,
    },
    StillBehind {
        published: Position,
        lag: Position,
        per_second: Position,
    },
    CaughtUp {
        published: Position,
        took: Duration,
    },
}

#[derive(Default)]
struct Lag {
    /// The head of the log at the last look.
    head: Option<Position>,
    behind: Option<Behind>,
}

struct Behind {
    since: Instant,
    told: Instant,
    /// What was published when it was told.
    from: Position,
}

impl Lag {
    /// What there is to say at `now`, with the stream at `published` and the log at `head`.
    fn look(&mut self, now: Instant, published: Position, head: Position) -> Option<News> {
        let waited_for = self.head.replace(head)?;
        let lag = head - published;
        if published >= waited_for {
            let behind = self.behind.take()?;
            let took = now - behind.since;
            return Some(News::CaughtUp { published, took });
        }
        let Some(behind) = &mut self.behind else {
            self.behind = Some(Behind {
                since: now,
                told: now,
                from: published,
            });
            return Some(News::Behind { published, lag });
        };
        let past = now - behind.told;
        if past < TELL {
            return None;
        }
        let seconds = i64::try_from(past.as_secs()).unwrap_or(i64::MAX);
        let per_second = (published - behind.from).max(0) / seconds;
        (behind.told, behind.from) = (now, published);
        Some(News::StillBehind {
            published,
            lag,
            per_second,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_no_lag() {
        let mut lag = Lag::default();
        let start = Instant::now();
        // Always a little behind the head, never behind the one of a second ago.
        for second in 0..5 {
            let head = 1_000 * i64::from(second);
            let now = start + LOOK * second;
            assert_eq!(lag.look(now, head - 3, head), None);
        }
    }

    #[test]
    fn a_lag_is_told_when_it_begins_while_it_lasts_and_when_it_is_over() {
        let mut lag = Lag::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(
            lag.look(after(0), 0, 50_000),
            None,
            "nothing has waited yet"
        );
        let (published, behind) = (1_000, 49_000);
        assert_eq!(
            lag.look(after(1), published, 50_000),
            Some(News::Behind {
                published,
                lag: behind
            })
        );
        assert_eq!(lag.look(after(2), 2_000, 50_000), None, "told just now");
        assert_eq!(
            lag.look(after(11), 21_000, 50_000),
            Some(News::StillBehind {
                published: 21_000,
                lag: 29_000,
                per_second: 2_000,
            })
        );
        assert_eq!(
            lag.look(after(15), 50_000, 50_003),
            Some(News::CaughtUp {
                published: 50_000,
                took: Duration::from_secs(14),
            })
        );
        assert_eq!(lag.look(after(16), 50_003, 50_003), None);
    }
}
