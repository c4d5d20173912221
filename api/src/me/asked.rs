//! What people send to change what is known about them.

use fido_commands::account::{AccountCommand, PreferenceChanges, ProfileChanges};
use fido_commands::auth::Password;
use fido_commands::change::Change;
use fido_domain::account::{
    Amount, BusinessType, CompanyName, CompanySize, Currency, DisplayName, Goals, ModelName,
    MonthlyRevenue, NoTemperature, PolicyVersion, ResponseStyle, Temperature,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::extract::{Edit, given};

/// What is different about a person. What is left out stays as it is, `null` takes it away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "company_name": "Ada's Bakery",
    "company_size": "2-10",
    "monthly_revenue": {"amount": "1200.50", "currency": "EUR"},
    "goals": null,
}))]
pub(super) struct ProfileRevision {
    /// The name on screen; it cannot be taken away.
    #[serde(default, deserialize_with = "given")]
    display_name: Option<DisplayName>,
    /// What the company is called.
    #[serde(default)]
    company_name: Edit<CompanyName>,
    /// What kind of business it is.
    #[serde(default)]
    business_type: Edit<BusinessType>,
    /// How many people work there.
    #[serde(default)]
    company_size: Edit<CompanySize>,
    /// What it takes in a month.
    #[serde(default)]
    monthly_revenue: Edit<Revenue>,
    /// What the person wants to achieve.
    #[serde(default)]
    goals: Edit<Goals>,
}

/// An amount of money.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Revenue {
    /// How much.
    amount: Amount,
    /// Of which currency.
    currency: Currency,
}

impl ProfileRevision {
    pub(super) fn command(self) -> AccountCommand {
        let monthly_revenue = match self.monthly_revenue.0 {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::To(revenue) => {
                Change::To(MonthlyRevenue::new(revenue.amount, revenue.currency))
            }
        };
        AccountCommand::ReviseProfile {
            changes: ProfileChanges {
                display_name: self.display_name,
                company_name: self.company_name.0,
                business_type: self.business_type.0,
                company_size: self.company_size.0,
                monthly_revenue,
                goals: self.goals.0,
            },
        }
    }
}

/// What is different about how a person wants to be answered. What is left out stays as it is, `null`
/// leaves it to Fido again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"response_style": "concise", "temperature": 0.7}))]
pub(super) struct PreferenceChoice {
    /// Which model answers, as its provider calls it.
    #[serde(default)]
    model: Edit<ModelName>,
    /// How much it says.
    #[serde(default)]
    response_style: Edit<ResponseStyle>,
    /// How freely it chooses its words.
    #[serde(default)]
    temperature: Edit<Warmth>,
    /// Whether conversations are kept.
    #[serde(default)]
    save_history: Edit<bool>,
}

/// A temperature as a number.
#[derive(Debug, Deserialize)]
#[serde(try_from = "f64")]
struct Warmth(Temperature);

impl TryFrom<f64> for Warmth {
    type Error = NoTemperature;

    fn try_from(number: f64) -> Result<Self, NoTemperature> {
        Temperature::parse(number).map(Self)
    }
}

impl JsonSchema for Warmth {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Warmth".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": 2, "multipleOf": 0.01})
    }
}

impl PreferenceChoice {
    pub(super) fn command(self) -> AccountCommand {
        let temperature = match self.temperature.0 {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::To(Warmth(temperature)) => Change::To(temperature),
        };
        AccountCommand::ChoosePreferences {
            changes: PreferenceChanges {
                model: self.model.0,
                response_style: self.response_style.0,
                temperature,
                save_history: self.save_history.0,
            },
        }
    }
}

/// Whether a person agrees to a version of a policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"policy_version": "privacy-2026-01", "accepted": true}))]
pub(super) struct ConsentDecision {
    /// Which version.
    pub(super) policy_version: PolicyVersion,
    /// Whether they do, or no longer.
    accepted: bool,
}

impl ConsentDecision {
    pub(super) fn command(&self) -> AccountCommand {
        let policy_version = self.policy_version.clone();
        if self.accepted {
            AccountCommand::GiveConsent { policy_version }
        } else {
            AccountCommand::WithdrawConsent { policy_version }
        }
    }
}

/// What proves that it is the owner who wants everything erased.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"password": "correct horse"}))]
pub(super) struct Farewell {
    /// The account's password. An account without one has to have signed in within five minutes.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>", length(min = 8, max = 256))]
    pub(super) password: Option<Password>,
}
