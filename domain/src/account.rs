//! An account: a person who can sign in and owns conversations and plans.

mod preferences;
mod profile;
mod record;
mod revenue;
mod role;

use std::collections::BTreeMap;

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{EmailAddress, Line};
use crate::upcast::newest;
use crate::word::Word;
use crate::{Evolve, Imprint, Private, StoredEvent};

pub use preferences::{
    ModelName, NoTemperature, Preference, Preferences, ResponseStyle, Temperature,
};
pub use profile::{
    BusinessType, CompanyName, CompanySize, DisplayName, Goals, Profile, ProfilePart,
};
pub use record::{AccountRecord, Consent};
pub use revenue::{Amount, Currency, MonthlyRevenue, NoAmount, NoCurrency};
pub use role::Role;

/// Why a role was granted or taken back.
pub type RoleReason = Line<500>;
/// A version of a policy that people agree to, as its publisher calls it.
pub type PolicyVersion = Word<50>;
/// Somebody who can say who a person is, as this installation calls them.
pub type ProviderName = Word<32>;

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
    /// The person told something else about themselves. Only what has changed is said: a new value,
    /// or the name of a part that is no longer given.
    #[serde(rename = "profile_revised")]
    ProfileRevised {
        /// The name on screen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        display_name: Option<Private<String>>,
        /// What the company is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        company_name: Option<Private<String>>,
        /// What kind of business it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_type: Option<Private<String>>,
        /// How many people work there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        company_size: Option<CompanySize>,
        /// What it takes in a month: amount and currency, such as `1200.50 EUR`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        monthly_revenue: Option<Private<String>>,
        /// What the person wants to achieve.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goals: Option<Private<String>>,
        /// What is no longer given.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cleared: Vec<ProfilePart>,
    },
    /// The person chose how to be answered. Only what has changed is said: a new choice, or the name
    /// of one that is left to Fido again.
    #[serde(rename = "preferences_chosen")]
    PreferencesChosen {
        /// Which model answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelName>,
        /// How much it says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response_style: Option<ResponseStyle>,
        /// How freely it chooses its words: decimal text from 0.00 to 2.00.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        temperature: Option<Temperature>,
        /// Whether conversations are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        save_history: Option<bool>,
        /// What is left to Fido again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cleared: Vec<Preference>,
    },
    /// The person agreed to a version of a policy.
    #[serde(rename = "consent_given")]
    ConsentGiven {
        /// To which.
        policy_version: PolicyVersion,
    },
    /// The person no longer agrees to it.
    #[serde(rename = "consent_withdrawn")]
    ConsentWithdrawn {
        /// To which.
        policy_version: PolicyVersion,
    },
    /// The person proved who they are to somebody else, and may sign in with that from now on.
    #[serde(rename = "identity_linked")]
    IdentityLinked {
        /// To whom.
        provider: ProviderName,
        /// Who they are there, as the provider tells its people apart.
        subject: Private<String>,
    },
}

impl DomainEvent for AccountEvent {
    fn event_type(&self) -> String {
        match self {
            Self::AccountRegistered { .. } => "account_registered",
            Self::AccountErased {} => "account_erased",
            Self::RoleGranted { .. } => "role_granted",
            Self::RoleRevoked { .. } => "role_revoked",
            Self::ProfileRevised { .. } => "profile_revised",
            Self::PreferencesChosen { .. } => "preferences_chosen",
            Self::ConsentGiven { .. } => "consent_given",
            Self::ConsentWithdrawn { .. } => "consent_withdrawn",
            Self::IdentityLinked { .. } => "identity_linked",
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
    #[serde(default)]
    profile: Profile<Imprint>,
    #[serde(default)]
    preferences: Preferences,
    #[serde(default)]
    consents: BTreeMap<PolicyVersion, bool>,
    #[serde(default)]
    identities: BTreeMap<ProviderName, Imprint>,
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

    /// Which parts of the profile are given.
    pub fn profile(&self) -> &Profile<Imprint> {
        &self.profile
    }

    /// What the person has chosen.
    pub fn preferences(&self) -> &Preferences {
        &self.preferences
    }

    /// Whether the person agrees to that version of a policy.
    pub fn agrees_to(&self, policy_version: &PolicyVersion) -> bool {
        self.consents.get(policy_version) == Some(&true)
    }

    /// Whether the person agrees to it, or did at some time.
    pub fn has_decided_on(&self, policy_version: &PolicyVersion) -> bool {
        self.consents.contains_key(policy_version)
    }

    /// How many versions of policies the person has decided on.
    pub fn consent_count(&self) -> usize {
        self.consents.len()
    }

    /// Who the person is to `provider`, if they may sign in with that.
    pub fn identity(&self, provider: &ProviderName) -> Option<Imprint> {
        self.identities.get(provider).copied()
    }
}

impl Evolve for Account {
    const TYPE: &'static str = "account";
    type Event = AccountEvent;

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::AccountRegistered {
                display_name,
                roles,
                ..
            } => {
                self.registered = true;
                self.roles.clone_from(roles);
                self.profile.display_name = Some(Imprint::of(display_name));
            }
            AccountEvent::AccountErased {} => self.erased = true,
            AccountEvent::RoleGranted { role, .. } => role::grant(&mut self.roles, *role),
            AccountEvent::RoleRevoked { role, .. } => self.roles.retain(|held| held != role),
            AccountEvent::ProfileRevised { .. } => self.profile.revise(event, Imprint::of),
            AccountEvent::PreferencesChosen { .. } => self.preferences.choose(event),
            AccountEvent::ConsentGiven { policy_version } => {
                self.consents.insert(policy_version.clone(), true);
            }
            AccountEvent::ConsentWithdrawn { policy_version } => {
                self.consents.insert(policy_version.clone(), false);
            }
            AccountEvent::IdentityLinked { provider, subject } => {
                let subject = Imprint::of(subject);
                self.identities.insert(provider.clone(), subject);
            }
        }
    }
}
