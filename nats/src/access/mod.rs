//! Who may do what at the broker: a key for each role, and what the role may publish and hear.
//! Here alone; the embedded server and the configuration for others are both written from this.

mod permissions;
mod seed;
mod server;

use std::fmt;

pub use permissions::Permissions;
pub use seed::{NoSeed, Seed};
pub use server::{authorization, table};

/// What a process is to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `fido relay`.
    Relay,
    /// `fido project`.
    Projector,
    /// `fido serve`.
    Api,
    /// `fido copilot`.
    Copilot,
    /// `fido notary`.
    Notary,
    /// Whoever looks at the whole and looks after it: `fido status`, `fido log`, `fido account` ….
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Relay,
        Self::Projector,
        Self::Api,
        Self::Copilot,
        Self::Notary,
        Self::Operator,
    ];

    /// Its name: in file names, inboxes and the broker's list of connections.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Projector => "projector",
            Self::Api => "api",
            Self::Copilot => "copilot",
            Self::Notary => "notary",
            Self::Operator => "operator",
        }
    }

    /// What it does with the broker, in a few words.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Relay => "makes the event stream and publishes the log to it; nobody else may",
            Self::Projector => "reads the events and tells how far its replica is",
            Self::Api => "reads the events and the tokens for the people who are connected",
            Self::Copilot => "takes requests for replies and sends tokens",
            Self::Notary => "hears that something was appended",
            Self::Operator => "sees how everything stands",
        }
    }

    /// What the subjects of its inboxes begin with, so that no role can read another's answers.
    pub fn inbox_prefix(self) -> String {
        format!("_INBOX_{}", self.name())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
