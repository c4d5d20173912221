//! What a load came to: commands per second, and how long one took.

use std::time::Duration;

use serde::Serialize;

use super::load::Load;

/// The figures of one measurement, or the medians of several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Commands measured.
    pub(super) commands: u64,
    /// Commands acknowledged in a second.
    pub(super) commands_per_s: f64,
    /// The latency that half of the commands did not exceed.
    pub(super) p50_ms: f64,
    /// The latency that 99 of 100 did not exceed.
    pub(super) p99_ms: f64,
    /// The longest.
    pub(super) max_ms: f64,
}

impl Figures {
    /// What `load` came to.
    pub(super) fn of(load: &Load) -> Self {
        let mut sorted = load.latencies_us.clone();
        sorted.sort_unstable();
        let commands = sorted.len() as u64;
        Self {
            commands,
            commands_per_s: rounded(commands as f64 / load.elapsed.as_secs_f64(), 10.0),
            p50_ms: percentile_ms(&sorted, 50),
            p99_ms: percentile_ms(&sorted, 99),
            max_ms: percentile_ms(&sorted, 100),
        }
    }

    /// The median of each figure.
    pub(super) fn medians(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            commands: of(|round| round.commands as f64) as u64,
            commands_per_s: of(|round| round.commands_per_s),
            p50_ms: of(|round| round.p50_ms),
            p99_ms: of(|round| round.p99_ms),
            max_ms: of(|round| round.max_ms),
        }
    }
}

/// How long something took, many times over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spread {
    /// How often.
    pub(super) count: u64,
    /// What half of them did not exceed.
    pub(super) p50_ms: f64,
    /// What 99 of 100 did not exceed.
    pub(super) p99_ms: f64,
    /// The longest.
    pub(super) max_ms: f64,
}

impl Spread {
    /// Of these.
    pub(super) fn of(durations: impl IntoIterator<Item = Duration>) -> Self {
        let us = |duration: Duration| u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let mut sorted: Vec<u32> = durations.into_iter().map(us).collect();
        sorted.sort_unstable();
        Self {
            count: sorted.len() as u64,
            p50_ms: percentile_ms(&sorted, 50),
            p99_ms: percentile_ms(&sorted, 99),
            max_ms: percentile_ms(&sorted, 100),
        }
    }

    /// The median of each figure.
    pub(super) fn medians(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            count: of(|round| round.count as f64) as u64,
            p50_ms: of(|round| round.p50_ms),
            p99_ms: of(|round| round.p99_ms),
            max_ms: of(|round| round.max_ms),
        }
    }
}

/// The middle one; of an even number the mean of the two in the middle; 0 of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len() % 2, values.get(middle)) {
        (_, None) => 0.0,
        (1, Some(value)) => *value,
        (_, Some(value)) => f64::midpoint(values[middle - 1], *value),
    }
}

/// `value` to the nearest 1 / `parts`.
pub(super) fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

/// The nearest-rank percentile of sorted microseconds; 0 of none.
fn percentile_ms(sorted_us: &[u32], percent: usize) -> f64 {
    let rank = (sorted_us.len() * percent).div_ceil(100).max(1);
    sorted_us
        .get(rank - 1)
        .map_or(0.0, |us| f64::from(*us) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let load = Load {
            latencies_us: (1..=200).rev().map(|n| n * 1000).collect(),
            elapsed: Duration::from_secs(4),
            ..Load::default()
        };
        let expected = Figures {
            commands: 200,
            commands_per_s: 50.0,
            p50_ms: 100.0,
            p99_ms: 198.0,
            max_ms: 200.0,
        };
        assert_eq!(Figures::of(&load), expected);
    }

    #[test]
    fn medians_are_taken_figure_by_figure() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![]), 0.0);
    }
}
