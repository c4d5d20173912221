//! What can keep a projector from going on, and how loudly that is said.

use fido_commands::log::LogError;
use fido_nats::NatsError;
use fido_nats::feed::FeedError;

use crate::apply::{ApplyError, Unknown};
use crate::checkpoint::ContactError;
use crate::rows::WriteError;

#[derive(Debug, thiserror::Error)]
pub(super) enum ProjectorError {
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("the session on the replica is lost")]
    Session(#[from] sqlx::Error),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("reading the log was interrupted")]
    Interrupted,
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Nats(#[from] NatsError),
}

impl ProjectorError {
    /// Whether the session is of no use any more: it is broken, or nothing can be done with it here.
    /// Otherwise it is kept, as what fails for this projector fails for all.
    pub(super) fn ends_the_turn(&self) -> bool {
        match self {
            Self::Unknown(_)
            | Self::Session(_)
            | Self::Contact(
                ContactError::Database(_)
                | ContactError::Diverged(_)
                | ContactError::OtherLog { .. },
            )
            | Self::Apply(ApplyError::Database(_) | ApplyError::Write(WriteError::Database(_))) => {
                true
            }
            Self::Contact(ContactError::Fenced)
            | Self::Apply(_)
            | Self::Log(_)
            | Self::Interrupted
            | Self::Feed(_)
            | Self::Nats(_) => false,
        }
    }
}

/// Says what keeps a projector from going on, as loudly as it deserves and not again and again.
pub(super) struct Reporter {
    replica: String,
    said: Option<String>,
}

impl Reporter {
    pub(super) fn new(replica: &str) -> Self {
        Self {
            replica: replica.to_owned(),
            said: None,
        }
    }

    /// It went on: whatever stops it next is news.
    pub(super) fn forget(&mut self) {
        self.said = None;
    }

    /// Says it, unless it was the last thing to be said.
    pub(super) fn report(&mut self, error: &ProjectorError) {
        let text = error.to_string();
        if self.said.as_ref() == Some(&text) {
            tracing::debug!(replica.name = self.replica, error = text, "still the same");
            return;
        }
        self.say(error);
        self.said = Some(text);
    }

    fn say(&self, error: &ProjectorError) {
        let replica = self.replica.as_str();
        match error {
            ProjectorError::Unknown(_) => tracing::error!(
                replica.name = replica,
                error = %error,
                "the projector pauses: upgrade it to a build that knows this event; the replica serves on"
            ),
            ProjectorError::Contact(ContactError::Diverged(_)) => tracing::error!(
                replica.name = replica,
                error = %error,
                "the projector pauses until an operator has run `fido log fork`; the replica serves on"
            ),
            ProjectorError::Contact(ContactError::OtherLog { .. }) => {
                tracing::error!(replica.name = replica, error = %error, "the projector pauses");
            }
            ProjectorError::Nats(NatsError::NoStream | NatsError::OtherEpoch { .. })
            | ProjectorError::Feed(FeedError::Line(NatsError::NoStream)) => tracing::info!(
                replica.name = replica,
                "waiting for the relay to make the event stream"
            ),
            ProjectorError::Contact(_)
            | ProjectorError::Apply(_)
            | ProjectorError::Session(_)
            | ProjectorError::Log(_)
            | ProjectorError::Interrupted
            | ProjectorError::Feed(_)
            | ProjectorError::Nats(_) => tracing::warn!(
                replica.name = replica,
                error = %error,
                source = source(error),
                "the projector lost its place and looks again"
            ),
        }
    }
}

/// The chain of causes, in words.
fn source(error: &ProjectorError) -> Option<String> {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    (!causes.is_empty()).then(|| causes.join(": "))
}
