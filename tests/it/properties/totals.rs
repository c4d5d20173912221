//! What many cases consisted of, so that it shows whether they were hard enough.

use std::fmt;

use super::case::Report;
use super::script::Trouble;
use crate::cut::Fault;

/// What a number of cases consisted of.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) cases: u64,
    pub(super) cut: u64,
    pub(super) restarted: u64,
    pub(super) died: u64,
    pub(super) down: u64,
    pub(super) faults: [usize; 5],
    pub(super) given: usize,
    pub(super) done: usize,
    pub(super) replayed: usize,
    pub(super) failed: usize,
}

impl Totals {
    /// One more case.
    pub(super) fn add(&mut self, report: &Report) {
        self.cases += 1;
        self.cut += u64::from(report.faults.iter().any(|fault| fault.is_cut()));
        for fault in &report.faults {
            let kind = match fault {
                Fault::Before => 0,
                Fault::Uncommitted => 1,
                Fault::During => 2,
                Fault::After => 3,
                Fault::Late { .. } => 4,
                Fault::Hold => continue,
            };
            self.faults[kind] += 1;
        }
        for trouble in &report.troubles {
            match trouble {
                Trouble::ServerRestarts => self.restarted += 1,
                Trouble::ProcessDies(_) => self.died += 1,
                Trouble::LineIsDown(..) => self.down += 1,
            }
        }
        self.given += report.given;
        self.done += report.done;
        self.replayed += report.replayed;
        self.failed += report.failed;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, uncommitted, during, after, late] = self.faults;
        write!(
            f,
            "{} cases, {} of them with cuts ({before} before the call, {uncommitted} before its \
             commit, {during} during it, {after} after it, {late} with the call delivered late), {} \
             with the server restarted, {} with a process killed, {} with a line down; {} commands, \
             {} done ({} of them before, with the same key), {} failed or not waited for",
            self.cases,
            self.cut,
            self.restarted,
            self.died,
            self.down,
            self.given,
            self.done,
            self.replayed,
            self.failed
        )
    }
}
