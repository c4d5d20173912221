//! What may happen to an account, and how a person opens one.

use fido_domain::Private;
use fido_domain::account::{Account, AccountEvent, DisplayName, Role, RoleReason};
use fido_domain::text::EmailAddress;

use crate::Decide;

/// The kind under which email addresses are claimed.
pub const EMAIL_CLAIM: &str = "email";

/// What may be asked of an account.
#[derive(Debug, Clone)]
pub enum AccountCommand {
    /// A person opens it.
    RegisterAccount {
        /// Where to write to, and what to sign in with.
        email: EmailAddress,
        /// What to be called.
        display_name: DisplayName,
    },
    /// The person has everything about them erased. The event comes first, then their key goes.
    EraseAccount,
    /// An operator lets the account do more.
    GrantRole {
        /// What it may do from now on.
        role: Role,
        /// Why, for whoever looks into the log.
        reason: Option<RoleReason>,
    },
    /// An operator takes that back.
    RevokeRole {
        /// What it may no longer do.
        role: Role,
        /// Why, for whoever looks into the log.
        reason: Option<RoleReason>,
    },
}

/// Why an account says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountRefusal {
    /// It was opened before.
    #[error("the account was opened before")]
    AlreadyRegistered,
    /// There is none, or it was erased.
    #[error("there is no such account")]
    NotFound,
    /// It would no longer be anybody's.
    #[error("every account keeps the role `user`")]
    AlwaysUser,
}

impl Decide for Account {
    type Command = AccountCommand;
    type Refusal = AccountRefusal;

    fn decide(&self, command: &AccountCommand) -> Result<Vec<AccountEvent>, AccountRefusal> {
        match command {
            AccountCommand::RegisterAccount {
                email,
                display_name,
            } => {
                if self.is_registered() {
                    return Err(AccountRefusal::AlreadyRegistered);
                }
                Ok(vec![AccountEvent::AccountRegistered {
                    email: Private::new(email.clone()),
                    display_name: Private::new(display_name.clone()),
                    roles: vec![Role::User],
                }])
            }
            AccountCommand::EraseAccount => {
                if !self.is_registered() {
                    return Err(AccountRefusal::NotFound);
                }
                if self.is_erased() {
                    return Ok(Vec::new());
                }
                Ok(vec![AccountEvent::AccountErased {}])
            }
            AccountCommand::GrantRole { .. } | AccountCommand::RevokeRole { .. }
                if !self.is_registered() || self.is_erased() =>
            {
                Err(AccountRefusal::NotFound)
            }
            AccountCommand::RevokeRole {
                role: Role::User, ..
            } => Err(AccountRefusal::AlwaysUser),
            AccountCommand::GrantRole { role, reason } => Ok(if self.has(*role) {
                Vec::new()
            } else {
                vec![AccountEvent::RoleGranted {
                    role: *role,
                    reason: reason.clone().map(Private::new),
                }]
            }),
            AccountCommand::RevokeRole { role, reason } => Ok(if self.has(*role) {
                vec![AccountEvent::RoleRevoked {
                    role: *role,
                    reason: reason.clone().map(Private::new),
                }]
            } else {
                Vec::new()
            }),
        }
    }
}
