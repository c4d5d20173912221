//! What may happen to an account, and how a person opens one.

mod identity;
mod profile;

use fido_domain::Private;
use fido_domain::account::{Account, AccountEvent, DisplayName, PolicyVersion, Role, RoleReason};
use fido_domain::text::EmailAddress;

use crate::Decide;

pub use identity::{IDENTITY_CLAIM, ProvenIdentity};
pub use profile::{PreferenceChanges, ProfileChanges};

/// The kind under which email addresses are claimed.
pub const EMAIL_CLAIM: &str = "email";
/// How many versions of policies a person can decide on.
pub const MOST_CONSENTS: usize = 100;

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
    /// A person opens it who has proved elsewhere who they are, and signs in with that.
    RegisterWithIdentity {
        /// Where to write to, as the provider has verified.
        email: EmailAddress,
        /// What to be called.
        display_name: DisplayName,
        /// Who they are there.
        identity: ProvenIdentity,
    },
    /// The person wants to sign in with what they have proved elsewhere, too.
    LinkIdentity {
        /// Who they are there.
        identity: ProvenIdentity,
    },
    /// The person tells something else about themselves.
    ReviseProfile {
        /// What is different from before.
        changes: ProfileChanges,
    },
    /// The person chooses how to be answered.
    ChoosePreferences {
        /// What is different from before.
        changes: PreferenceChanges,
    },
    /// The person agrees to a version of a policy.
    GiveConsent {
        /// To which.
        policy_version: PolicyVersion,
    },
    /// The person no longer agrees to it.
    WithdrawConsent {
        /// To which.
        policy_version: PolicyVersion,
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
    /// The person has decided on so many versions of policies that one more is a mistake.
    #[error("an account can decide on at most {MOST_CONSENTS} versions of policies")]
    TooManyConsents,
    /// Somebody else of the same provider signs in to it.
    #[error("another identity of this provider is linked to the account")]
    OtherIdentityLinked,
}

/// What a decision leads to.
type Decision = Result<Vec<AccountEvent>, AccountRefusal>;

impl Decide for Account {
    type Command = AccountCommand;
    type Refusal = AccountRefusal;

    fn decide(&self, command: &AccountCommand) -> Decision {
        match command {
            AccountCommand::RegisterAccount {
                email,
                display_name,
            } => Ok(vec![register(self, email, display_name)?]),
            AccountCommand::RegisterWithIdentity {
                email,
                display_name,
                identity,
            } => Ok(vec![
                register(self, email, display_name)?,
                identity.linked(),
            ]),
            AccountCommand::LinkIdentity { identity } => identity::link(in_use(self)?, identity),
            AccountCommand::ReviseProfile { changes } => profile::revise(in_use(self)?, changes),
            AccountCommand::ChoosePreferences { changes } => {
                profile::choose(in_use(self)?, changes)
            }
            AccountCommand::GiveConsent { policy_version } => agree(in_use(self)?, policy_version),
            AccountCommand::WithdrawConsent { policy_version } => {
                let agrees = in_use(self)?.agrees_to(policy_version);
                let policy_version = policy_version.clone();
                let withdrawn = AccountEvent::ConsentWithdrawn { policy_version };
                Ok(agrees.then_some(withdrawn).into_iter().collect())
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

fn register(
    account: &Account,
    email: &EmailAddress,
    display_name: &DisplayName,
) -> Result<AccountEvent, AccountRefusal> {
    if account.is_registered() {
        return Err(AccountRefusal::AlreadyRegistered);
    }
    Ok(AccountEvent::AccountRegistered {
        email: Private::new(email.clone()),
        display_name: Private::new(display_name.clone()),
        roles: vec![Role::User],
    })
}

fn agree(account: &Account, policy_version: &PolicyVersion) -> Decision {
    if account.agrees_to(policy_version) {
        return Ok(Vec::new());
    }
    if account.consent_count() >= MOST_CONSENTS && !account.has_decided_on(policy_version) {
        return Err(AccountRefusal::TooManyConsents);
    }
    Ok(vec![AccountEvent::ConsentGiven {
        policy_version: policy_version.clone(),
    }])
}

/// The account, if there is one and it was not erased.
fn in_use(account: &Account) -> Result<&Account, AccountRefusal> {
    if !account.is_registered() || account.is_erased() {
        return Err(AccountRefusal::NotFound);
    }
    Ok(account)
}
