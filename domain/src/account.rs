//! An account: a person who can sign in and owns conversations and plans.

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::text::{EmailAddress, Line};
use crate::upcast::newest;
use crate::{Evolve, FullFold, Private, Stamp, StoredEvent};

/// What a person is called on screen.
pub type DisplayName = Line<100>;

/// Why a role was granted or taken back.
pub type RoleReason = Line<500>;

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
    /// The person had everything about them erased. What the log says of them goes unreadable.
    #[serde(rename = "account_erased")]
    AccountErased {},
    /// An operator let the account do more.
    #[serde(rename = "role_granted")]
    RoleGranted {
        /// What it may do from now on.
        role: Role,
        /// Why, in the words of whoever granted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Private<RoleReason>>,
    },
    /// An operator took that back.
    #[serde(rename = "role_revoked")]
    RoleRevoked {
        /// What it may no longer do.
        role: Role,
        /// Why, in the words of whoever took it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Private<RoleReason>>,
    },
}

impl DomainEvent for AccountEvent {
    fn event_type(&self) -> String {
        match self {
            Self::AccountRegistered { .. } => "account_registered",
            Self::AccountErased {} => "account_erased",
            Self::RoleGranted { .. } => "role_granted",
            Self::RoleRevoked { .. } => "role_revoked",
        }
        .to_owned()
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
    erased: bool,
    #[serde(default)]
    roles: Vec<Role>,
}

impl Account {
    /// Whether somebody has opened it.
    pub fn is_registered(&self) -> bool {
        self.registered
    }

    /// Whether everything about it was erased.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// What it may do; nothing once it was erased.
    pub fn roles(&self) -> &[Role] {
        if self.erased { &[] } else { &self.roles }
    }

    /// Whether it may do what `role` lets it; an erased account may do nothing.
    pub fn has(&self, role: Role) -> bool {
        self.roles().contains(&role)
    }
}

impl Evolve for Account {
    const TYPE: &'static str = "account";
    type Event = AccountEvent;

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::AccountRegistered { roles, .. } => {
                self.registered = true;
                self.roles.clone_from(roles);
            }
            AccountEvent::AccountErased {} => self.erased = true,
            AccountEvent::RoleGranted { role, .. } => grant(&mut self.roles, *role),
            AccountEvent::RoleRevoked { role, .. } => self.roles.retain(|held| held != role),
        }
    }
}

/// Adds `role` at the end, unless it is there.
fn grant(roles: &mut Vec<Role>, role: Role) {
    if !roles.contains(&role) {
        roles.push(role);
    }
}

/// The whole of an account, as its owner reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AccountRecord {
    /// The address, as typed; none before it was registered.
    pub email: Option<Private<EmailAddress>>,
    /// The name on screen.
    pub display_name: Option<Private<DisplayName>>,
    /// What the account may do.
    pub roles: Vec<Role>,
    /// When it was registered.
    #[serde(with = "time::serde::rfc3339::option")]
    pub registered_at: Option<OffsetDateTime>,
    /// When it was erased.
    #[serde(with = "time::serde::rfc3339::option")]
    pub erased_at: Option<OffsetDateTime>,
    /// How long its stream is.
    pub sequence: i64,
}

impl FullFold for AccountRecord {
    type Event = AccountEvent;

    fn evolve(&mut self, event: &AccountEvent, stamp: Stamp) {
        self.sequence = stamp.sequence;
        match event {
            AccountEvent::AccountRegistered {
                email,
                display_name,
                roles,
            } => {
                self.email = Some(email.clone());
                self.display_name = Some(display_name.clone());
                self.roles.clone_from(roles);
                self.registered_at = Some(stamp.recorded_at);
            }
            AccountEvent::AccountErased {} => {
                // The key goes after the event; nothing is shown in between.
                self.email = Some(Private::Erased);
                self.display_name = Some(Private::Erased);
                self.erased_at = Some(stamp.recorded_at);
            }
            AccountEvent::RoleGranted { role, .. } => grant(&mut self.roles, *role),
            AccountEvent::RoleRevoked { role, .. } => self.roles.retain(|held| held != role),
        }
    }
}
