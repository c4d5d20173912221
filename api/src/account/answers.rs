//! An account, as its owner is shown it.

use fido_domain::Private;
use fido_domain::account::{AccountRecord, MonthlyRevenue, PolicyVersion, Preferences};
use fido_projections::account::{AccountProfile, ConsentRow};
use schemars::JsonSchema;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Answer;
use crate::answer::Shown;
use crate::problem::{Kind, Problem};

/// An account, as shown to its owner.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Account {
    /// Its id.
    id: Uuid,
    /// The address, as typed.
    email: Shown,
    /// The name on screen.
    display_name: Shown,
    /// What the company is called.
    company_name: Option<Shown>,
    /// What kind of business it is.
    business_type: Option<Shown>,
    /// How many people work there: `1`, `2-10`, `11-50`, `51-250` or `251+`.
    company_size: Option<String>,
    /// What it takes in a month.
    monthly_revenue: Option<Money>,
    /// What the person wants to achieve.
    goals: Option<Shown>,
    /// How the person wants to be answered.
    preferences: Chosen,
    /// What the person has agreed to, and what no longer, by version.
    consents: Vec<Consent>,
    /// Providers that the person can sign in with.
    identities: Vec<String>,
    /// What the account may do: `user`, `analyst`, `auditor`, `admin`.
    roles: Vec<String>,
    /// When it was opened.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    created_at: OffsetDateTime,
    #[serde(skip)]
    sequence: i64,
}

/// An amount of money.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Money {
    /// Decimal text.
    amount: String,
    /// The code of its currency (ISO 4217).
    currency: String,
}

/// What somebody has chosen; `null` is as Fido has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Chosen {
    /// Which model answers.
    model: Option<String>,
    /// How much it says: `concise`, `balanced` or `detailed`.
    response_style: Option<String>,
    /// How freely it chooses its words, from 0 to 2.
    temperature: Option<f64>,
    /// Whether conversations are kept.
    save_history: Option<bool>,
}

/// Whether somebody agrees to a version of a policy.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Consent {
    /// Which version.
    policy_version: String,
    /// Whether they do.
    accepted: bool,
    /// Since when; `null` when they never had to decide.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    decided_at: Option<OffsetDateTime>,
}

impl Account {
    /// What the log says of the account `id`, content opened.
    pub(crate) fn recorded(id: Uuid, record: AccountRecord) -> Answer<Self> {
        let nothing = || Problem::new(Kind::Internal).because("an account without events");
        let (profile, sequence) = (record.profile, record.sequence);
        let shown = |content: &Private<String>| Shown::from(content);
        let consents = record
            .consents
            .into_iter()
            .map(|(version, consent)| Consent {
                policy_version: version.into(),
                accepted: consent.accepted,
                decided_at: Some(consent.decided_at),
            });
        Ok(Self {
            id,
            email: Shown::from(&record.email.ok_or_else(nothing)?),
            display_name: Shown::from(&profile.display_name.ok_or_else(nothing)?),
            company_name: profile.company_name.as_ref().map(shown),
            business_type: profile.business_type.as_ref().map(shown),
            company_size: profile.company_size.map(|size| size.as_str().to_owned()),
            monthly_revenue: Money::of(profile.monthly_revenue.as_ref()),
            goals: profile.goals.as_ref().map(shown),
            preferences: Chosen::from(record.preferences),
            consents: consents.collect(),
            identities: record.identities.into_iter().map(String::from).collect(),
            roles: record
                .roles
                .iter()
                .map(|role| role.as_str().to_owned())
                .collect(),
            created_at: record.registered_at.ok_or_else(nothing)?,
            sequence,
        })
    }

    /// What a replica shows of it, content opened.
    pub(crate) fn projected(profile: AccountProfile, consents: Vec<ConsentRow>) -> Self {
        let shown = |content: &Private<String>| Shown::from(content);
        let consents = consents.into_iter().map(|row| Consent {
            policy_version: row.policy_version,
            accepted: row.accepted,
            decided_at: Some(row.decided_at),
        });
        Self {
            id: profile.account_id,
            email: shown(&profile.email),
            display_name: shown(&profile.display_name),
            company_name: profile.company_name.as_ref().map(shown),
            business_type: profile.business_type.as_ref().map(shown),
            company_size: profile.company_size,
            monthly_revenue: Money::of(profile.monthly_revenue.as_ref()),
            goals: profile.goals.as_ref().map(shown),
            preferences: Chosen {
                model: profile.model,
                response_style: profile.response_style,
                temperature: profile.temperature.and_then(|number| number.parse().ok()),
                save_history: profile.save_history,
            },
            consents: consents.collect(),
            identities: profile.identities,
            roles: profile.roles,
            created_at: profile.created_at,
            sequence: profile.sequence,
        }
    }

    /// How long its stream is: another state of it has another.
    pub(crate) fn sequence(&self) -> i64 {
        self.sequence
    }

    /// What its owner has decided on that version.
    pub(crate) fn consent(self, policy_version: &str) -> Option<Consent> {
        let mut consents = self.consents.into_iter();
        consents.find(|consent| consent.policy_version == policy_version)
    }
}

impl Consent {
    /// Nobody has agreed to it, so there was nothing to withdraw.
    pub(crate) fn never(policy_version: PolicyVersion) -> Self {
        Self {
            policy_version: policy_version.into(),
            accepted: false,
            decided_at: None,
        }
    }
}

impl Money {
    /// What is stored as one text; after its erasure there is none.
    fn of(revenue: Option<&Private<String>>) -> Option<Self> {
        let (amount, currency) = MonthlyRevenue::parts(revenue?.reveal()?)?;
        Some(Self {
            amount: amount.to_owned(),
            currency: currency.to_owned(),
        })
    }
}

impl From<Preferences> for Chosen {
    fn from(preferences: Preferences) -> Self {
        let style = preferences.response_style;
        Self {
            model: preferences.model.map(String::from),
            response_style: style.map(|style| style.as_str().to_owned()),
            temperature: preferences.temperature.map(|number| number.number()),
            save_history: preferences.save_history,
        }
    }
}
