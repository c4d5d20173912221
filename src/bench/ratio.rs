//! What measurements come to: figures divided by figures of the same round, and what is wanted.

use std::fmt;

use serde::Serialize;

use super::figures::{median, rounded};
use super::table::{columns, grouped};

/// What is wanted of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {}", number(*least)),
            Self::AtMost(most) => write!(f, "at most {}", number(*most)),
        }
    }
}

fn number(number: f64) -> String {
    if number >= 1_000.0 {
        grouped(number)
    } else {
        number.to_string()
    }
}

/// One figure divided by another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Ratio {
    /// What by what.
    pub(super) of: String,
    /// The median of the rounds' ratios.
    pub(super) ratio: f64,
    /// The smallest of them.
    pub(super) lowest: f64,
    /// The largest of them.
    pub(super) highest: f64,
    /// What is wanted, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to_reach: Option<Bound>,
}

impl Ratio {
    /// The one figure of each round by the other.
    pub(super) fn of_rounds(
        of: impl Into<String>,
        rounds: impl IntoIterator<Item = (f64, f64)>,
        to_reach: Option<Bound>,
    ) -> Self {
        let ratios: Vec<f64> = rounds
            .into_iter()
            .map(|(over, under)| rounded(over / under, 100.0))
            .collect();
        Self {
            of: of.into(),
            lowest: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            highest: ratios.iter().copied().fold(0.0, f64::max),
            ratio: median(ratios),
            to_reach,
        }
    }
}

/// As a plain line.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            of,
            ratio,
            lowest,
            highest,
            to_reach,
        } = self;
        write!(f, "ratio {of}: {ratio} ({lowest} to {highest}")?;
        if let Some(bound) = to_reach {
            write!(f, "; to reach: {bound}")?;
        }
        write!(f, ")")
    }
}

/// As a table.
pub(super) fn table(ratios: &[Ratio]) -> Vec<String> {
    let head = [
        "ratios, round by round",
        "median",
        "lowest",
        "highest",
        "to reach",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(ratios.iter().map(|ratio| {
        vec![
            ratio.of.clone(),
            format!("{:.2}", ratio.ratio),
            format!("{:.2}", ratio.lowest),
            format!("{:.2}", ratio.highest),
            ratio
                .to_reach
                .map_or(String::new(), |bound| bound.to_string()),
        ]
    }));
    columns(&rows, 1)
}
