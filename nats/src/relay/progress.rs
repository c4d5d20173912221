//! How far the relay is, shared by the part that publishes, the part that watches the lag and the
//! part that answers operators.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fido_domain::Position;
use tokio::time::Instant;

use super::status::Activity;

/// How far the relay is.
pub(super) struct Progress(Mutex<State>);

#[derive(Clone, Copy)]
struct State {
    activity: Activity,
    published: Option<Position>,
    batches: u64,
    behind_since: Option<Instant>,
}

impl Progress {
    /// Nothing is known yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            activity: Activity::Waiting,
            published: None,
            batches: 0,
            behind_since: None,
        }))
    }

    /// What the relay does from now on.
    pub(super) fn is(&self, activity: Activity) {
        self.state().activity = activity;
    }

    /// The stream was asked and ends at `position`, which may be before what it held earlier.
    pub(super) fn resumes(&self, position: Position) {
        self.state().published = Some(position);
    }

    /// The stream has acknowledged everything up to `position`.
    pub(super) fn acknowledged(&self, position: Position) {
        let mut state = self.state();
        state.published = Some(position);
        state.batches += 1;
    }

    /// Since when events wait longer than they should; none when they do not.
    pub(super) fn lags(&self, since: Option<Instant>) {
        self.state().behind_since = since;
    }

    pub(super) fn behind_since(&self) -> Option<Instant> {
        self.state().behind_since
    }

    pub(super) fn activity(&self) -> Activity {
        self.state().activity
    }

    /// The last position that the stream is known to hold; none before it was asked.
    pub(super) fn published(&self) -> Option<Position> {
        self.state().published
    }

    /// How many batches were acknowledged so far.
    pub(super) fn batches(&self) -> u64 {
        self.state().batches
    }

    /// Plain numbers are whole whoever panicked while holding them.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
