//! An account: a person who can sign in and owns conversations and plans.

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{EmailAddress, Line};
use crate::upcast::newest;
use crate::{Evolve, Private, StoredEvent};

/// What a person is called on screen.
pub type DisplayName = Line<100>;

/// What an account may do beyond its own data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works on their own plans.
    User,
    /// Reads the analysts' views.
    Analyst,
    /// Reads the log.
    Auditor,
    /// Grants roles and sees costs.
    Admin,
}

impl Role {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

/// What can happen to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum AccountEvent {
    /// A person opened it.
    #[serde(rename = "account_registered")]
    AccountRegistered {
        /// The address, as typed.
        email: Private<EmailAddress>,
        /// The name on screen.
        display_name: Private<DisplayName>,
        /// What the account may do.
        roles: Vec<Role>,
    },
}

impl DomainEvent for AccountEvent {
    fn event_type(&self) -> String {
        match self {
            Self::AccountRegistered { .. } => "account_registered".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        newest::<Self>(&self.event_type()).to_owned()
    }
}

impl StoredEvent for AccountEvent {}

/// What decisions about an account need to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    registered: bool,
}

impl Account {
    /// Whether somebody has opened it.
    pub fn is_registered(&self) -> bool {
        self.registered
    }
}

impl Evolve for Account {
    const TYPE: &'static str = "account";
    type Event = AccountEvent;

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::AccountRegistered { .. } => self.registered = true,
        }
    }
}
