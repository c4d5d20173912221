//! How far long work on a replica is: a bar on a terminal, plain lines otherwise. Both on stderr.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use fido_domain::Position;
use fido_projections::rebuild::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// How often a plain line tells how far a replay is.
const TELL_EVERY: Duration = Duration::from_secs(5);
const BAR: &str = "{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} left";

/// Tells whoever waits.
pub(super) struct Reporter {
    bar: Option<ProgressBar>,
    lines: Mutex<Lines>,
}

/// A replay as plain lines.
#[derive(Default)]
struct Lines {
    /// Where and when it was first heard of, and when it was last told.
    begun: Option<(Position, Instant)>,
    told: Option<Instant>,
}

impl Reporter {
    /// A bar if stderr is a terminal.
    pub(super) fn new() -> Result<Self> {
        let bar = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(BAR)?);
            Some(bar.with_message("replaying"))
        } else {
            None
        };
        Ok(Self {
            bar,
            lines: Mutex::default(),
        })
    }

    /// Tells it.
    pub(super) fn tell(&self, progress: &Progress) {
        match (progress, &self.bar) {
            (Progress::Replaying { position, to }, Some(bar)) => {
                if bar.position() == 0 {
                    // What was there before is not counted into the rate.
                    bar.set_position(position.unsigned_abs());
                    bar.reset_eta();
                }
                bar.set_length(to.unsigned_abs());
                bar.set_position(position.unsigned_abs());
            }
            (Progress::Replaying { position, to }, None) => {
                let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(line) = lines.replaying(Instant::now(), *position, *to) {
                    say(&line);
                }
            }
            (Progress::Comparing { table }, _) => self.line(&format!("comparing {table}")),
            (Progress::Settling, _) => self.line("gathering statistics"),
            (Progress::Waiting { attempts }, _) if attempts.is_power_of_two() => self.line(
                &format!("somebody is reading; the switch waits (tried {attempts} times)"),
            ),
            (Progress::Waiting { .. }, _) => {}
        }
    }

    /// A line of its own.
    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }

    /// Takes the bar away, so that something else can be said.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    /// What to say of a replay at `position` of `to`, if it is time to say something.
    fn replaying(&mut self, now: Instant, position: Position, to: Position) -> Option<String> {
        let (from, begun) = *self.begun.get_or_insert((position, now));
        let due = self.told.is_none_or(|told| now - told >= TELL_EVERY);
        if !due {
            return None;
        }
        self.told = Some(now);
        let seconds = (now - begun).as_secs();
        let rate = (position - from).unsigned_abs().checked_div(seconds);
        let left = (to - position).unsigned_abs();
        Some(match rate.filter(|rate| *rate > 0) {
            Some(rate) => format!(
                "replayed {position} of {to}, {rate} events/s, {} s left",
                left / rate
            ),
            None => format!("replayed {position} of {to}"),
        })
    }
}

/// Whoever reads may have gone; that is no failure.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_tell_rate_and_time_left_now_and_then() {
        let mut lines = Lines::default();
        let begun = Instant::now();
        let mut at = |seconds, position| {
            let now = begun + Duration::from_secs(seconds);
            lines.replaying(now, position, 1_000_000)
        };
        assert_eq!(at(0, 5_000).unwrap(), "replayed 5000 of 1000000");
        assert_eq!(at(4, 100_000), None);
        assert_eq!(
            at(10, 205_000).unwrap(),
            "replayed 205000 of 1000000, 20000 events/s, 39 s left"
        );
    }
}
