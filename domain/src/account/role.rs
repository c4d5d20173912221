//! What an account may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Adds `role` at the end, unless it is there.
pub(super) fn grant(roles: &mut Vec<Role>, role: Role) {
    if !roles.contains(&role) {
        roles.push(role);
    }
}
