//! What everybody is asked to write down: a notebook that takes every note.
//!
//! No aggregate of Fido yields exactly one event of a chosen size and never refuses; this one does,
//! by the same traits, so that the stores differ and nothing else. No projection ever sees it.

use std::convert::Infallible;

use cqrs_es::DomainEvent;
use fido_commands::Decide;
use fido_domain::recorded::VERSION_1;
use fido_domain::{Evolve, Private, StoredEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many notes there are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Notebook {
    notes: u64,
}

/// What can happen to a notebook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub(super) enum NotebookEvent {
    /// Somebody wrote a note.
    #[serde(rename = "note_taken")]
    NoteTaken {
        /// The note, as private as a message in a chat.
        text: Private<String>,
    },
}

/// What may be asked of a notebook.
#[derive(Debug, Clone)]
pub(super) struct TakeNote {
    /// The note.
    pub(super) text: String,
}

/// The stored name of the one event.
pub(super) const NOTE_TAKEN: &str = "note_taken";

impl DomainEvent for NotebookEvent {
    fn event_type(&self) -> String {
        match self {
            Self::NoteTaken { .. } => NOTE_TAKEN.to_owned(),
        }
    }

    fn event_version(&self) -> String {
        VERSION_1.to_owned()
    }
}

impl StoredEvent for NotebookEvent {}

impl Evolve for Notebook {
    const TYPE: &'static str = "bench_notebook";
    type Event = NotebookEvent;

    fn evolve(&mut self, event: &NotebookEvent) {
        match event {
            NotebookEvent::NoteTaken { .. } => self.notes += 1,
        }
    }
}

impl Decide for Notebook {
    type Command = TakeNote;
    type Refusal = Infallible;

    fn decide(&self, command: &TakeNote) -> Result<Vec<NotebookEvent>, Infallible> {
        Ok(vec![NotebookEvent::NoteTaken {
            text: Private::new(command.text.clone()),
        }])
    }
}

/// A note of `length` bytes that JSON stores as they are.
pub(super) fn note(length: usize) -> String {
    "What do I need before I open a bakery? An oven, a permit, and a loan. "
        .chars()
        .cycle()
        .take(length)
        .collect()
}
