//! How far a measurement is, for whoever waits: lines on stderr.

use std::io::Write;

/// Counts the steps of one measurement.
#[derive(Debug)]
pub(super) struct Progress {
    done: usize,
    steps: usize,
}

impl Progress {
    /// Of `steps` steps none is done.
    pub(super) fn new(steps: usize) -> Self {
        Self { done: 0, steps }
    }

    /// One more step is done.
    pub(super) fn step(&mut self, what: &str) {
        self.done += 1;
        let width = self.steps.to_string().len();
        note(&format!("[{:>width$}/{}] {what}", self.done, self.steps));
    }
}

/// A line beside the steps. Whoever reads may have gone; that is no failure.
pub(super) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
