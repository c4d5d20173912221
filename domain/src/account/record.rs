//! The whole of an account, as its owner reads it.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::{AccountEvent, PolicyVersion, Preferences, Profile, ProviderName, Role, role};
use crate::text::EmailAddress;
use crate::{FullFold, Private, Stamp};

/// Whether somebody agrees to a version of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// They do, or no longer.
    pub accepted: bool,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub decided_at: OffsetDateTime,
}

/// The whole of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AccountRecord {
    /// The address, as typed; none before it was registered.
    pub email: Option<Private<EmailAddress>>,
    /// Who it is and what they do.
    #[serde(flatten)]
    pub profile: Profile<Private<String>>,
    /// How they want to be answered.
    pub preferences: Preferences,
    /// What they have agreed to, and what no longer.
    pub consents: BTreeMap<PolicyVersion, Consent>,
    /// Where else they can prove who they are, and then sign in here.
    pub identities: Vec<ProviderName>,
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

impl AccountRecord {
    fn decide(&mut self, policy_version: &PolicyVersion, accepted: bool, at: OffsetDateTime) {
        let decided_at = at;
        let consent = Consent {
            accepted,
            decided_at,
        };
        self.consents.insert(policy_version.clone(), consent);
    }

    /// The key goes after the event; nothing is shown in between. What was agreed to stays, as proof.
    fn erase(&mut self, at: OffsetDateTime) {
        self.email = Some(Private::Erased);
        self.profile = Profile {
            display_name: Some(Private::Erased),
            ..Profile::default()
        };
        self.preferences = Preferences::default();
        self.identities.clear();
        self.erased_at = Some(at);
    }
}

impl FullFold for AccountRecord {
    type Event = AccountEvent;

    fn evolve(&mut self, event: &AccountEvent, stamp: Stamp) {
        self.sequence = stamp.sequence;
        let at = stamp.recorded_at;
        match event {
            AccountEvent::AccountRegistered {
                email,
                display_name,
                roles,
            } => {
                self.email = Some(email.clone());
                self.profile.display_name = Some(display_name.to_text());
                self.roles.clone_from(roles);
                self.registered_at = Some(at);
            }
            AccountEvent::AccountErased {} => self.erase(at),
            AccountEvent::RoleGranted { role, .. } => role::grant(&mut self.roles, *role),
            AccountEvent::RoleRevoked { role, .. } => self.roles.retain(|held| held != role),
            AccountEvent::ProfileRevised { .. } => self.profile.revise(event, Clone::clone),
            AccountEvent::PreferencesChosen { .. } => self.preferences.choose(event),
            AccountEvent::ConsentGiven { policy_version } => self.decide(policy_version, true, at),
            AccountEvent::ConsentWithdrawn { policy_version } => {
                self.decide(policy_version, false, at);
            }
            AccountEvent::IdentityLinked { provider, .. } => self.identities.push(provider.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{CompanySize, DisplayName, ProfilePart};
    use crate::recorded::testing::stamp;

    fn registered() -> AccountEvent {
        AccountEvent::AccountRegistered {
            email: EmailAddress::parse("ada@example.com").unwrap().into(),
            display_name: DisplayName::parse("Ada").unwrap().into(),
            roles: vec![Role::User],
        }
    }

    fn revised(goals: Option<&str>, cleared: Vec<ProfilePart>) -> AccountEvent {
        AccountEvent::ProfileRevised {
            display_name: None,
            company_name: None,
            business_type: None,
            company_size: Some(CompanySize::UpTo10),
            monthly_revenue: None,
            goals: goals.map(|goals| goals.to_owned().into()),
            cleared,
        }
    }

    fn record(events: &[AccountEvent]) -> AccountRecord {
        AccountRecord::fold(events.iter().zip((1..).map(stamp)))
    }

    #[test]
    fn a_revision_says_what_has_changed_and_the_rest_stays() {
        let given = [registered(), revised(Some("A second shop"), vec![])];
        let whole = record(&given);
        assert_eq!(whole.profile.display_name, Some("Ada".to_owned().into()));
        assert_eq!(whole.profile.goals, Some("A second shop".to_owned().into()));
        let [first, second] = given;
        let cleared = record(&[first, second, revised(None, vec![ProfilePart::Goals])]);
        assert_eq!(cleared.profile.goals, None);
        assert_eq!(cleared.profile.company_size, Some(CompanySize::UpTo10));
    }

    #[test]
    fn nothing_is_left_to_read_of_an_erased_account_but_what_was_agreed_to() {
        let policy_version = PolicyVersion::parse("2026-01").unwrap();
        let erased = record(&[
            registered(),
            revised(Some("A second shop"), vec![]),
            AccountEvent::ConsentGiven {
                policy_version: policy_version.clone(),
            },
            AccountEvent::AccountErased {},
        ]);
        assert_eq!(erased.email, Some(Private::Erased));
        assert_eq!(erased.profile.display_name, Some(Private::Erased));
        assert_eq!(erased.profile.goals, None);
        assert_eq!(erased.profile.company_size, None);
        assert!(erased.consents[&policy_version].accepted);
        assert_eq!(erased.erased_at, Some(stamp(4).recorded_at));
    }
}
