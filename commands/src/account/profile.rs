//! What somebody tells about themselves anew, and how they want to be answered.

use fido_domain::account::{
    Account, AccountEvent, BusinessType, CompanyName, CompanySize, DisplayName, Goals, ModelName,
    MonthlyRevenue, Preference, ProfilePart, ResponseStyle, Temperature,
};
use fido_domain::{Imprint, Private};

use super::Decision;
use crate::change::Change;

/// What is different about a person.
#[derive(Debug, Clone, Default)]
pub struct ProfileChanges {
    /// The name on screen from now on, if that changes; an account always has one.
    pub display_name: Option<DisplayName>,
    /// What the company is called.
    pub company_name: Change<CompanyName>,
    /// What kind of business it is.
    pub business_type: Change<BusinessType>,
    /// How many people work there.
    pub company_size: Change<CompanySize>,
    /// What it takes in a month.
    pub monthly_revenue: Change<MonthlyRevenue>,
    /// What the person wants to achieve.
    pub goals: Change<Goals>,
}

/// What is different about how a person wants to be answered.
#[derive(Debug, Clone, Default)]
pub struct PreferenceChanges {
    /// Which model answers.
    pub model: Change<ModelName>,
    /// How much it says.
    pub response_style: Change<ResponseStyle>,
    /// How freely it chooses its words.
    pub temperature: Change<Temperature>,
    /// Whether conversations are kept.
    pub save_history: Change<bool>,
}

pub(super) fn revise(account: &Account, changes: &ProfileChanges) -> Decision {
    let known = account.profile();
    let mut cleared = Vec::new();
    let display_name = changes
        .display_name
        .as_ref()
        .filter(|name| {
            !known
                .display_name
                .is_some_and(|known| known.is_of(name.as_str()))
        })
        .map(private);
    let company_name = told(
        &changes.company_name,
        known.company_name,
        ProfilePart::CompanyName,
        &mut cleared,
    );
    let business_type = told(
        &changes.business_type,
        known.business_type,
        ProfilePart::BusinessType,
        &mut cleared,
    );
    let company_size = chosen(
        &changes.company_size,
        &known.company_size,
        ProfilePart::CompanySize,
        &mut cleared,
    );
    let monthly_revenue = told(
        &changes.monthly_revenue,
        known.monthly_revenue,
        ProfilePart::MonthlyRevenue,
        &mut cleared,
    );
    let goals = told(
        &changes.goals,
        known.goals,
        ProfilePart::Goals,
        &mut cleared,
    );
    let texts = [
        &display_name,
        &company_name,
        &business_type,
        &monthly_revenue,
        &goals,
    ];
    if texts.iter().all(|text| text.is_none()) && company_size.is_none() && cleared.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![AccountEvent::ProfileRevised {
        display_name,
        company_name,
        business_type,
        company_size,
        monthly_revenue,
        goals,
        cleared,
    }])
}

pub(super) fn choose(account: &Account, changes: &PreferenceChanges) -> Decision {
    let known = account.preferences();
    let mut cleared = Vec::new();
    let model = chosen(
        &changes.model,
        &known.model,
        Preference::Model,
        &mut cleared,
    );
    let response_style = chosen(
        &changes.response_style,
        &known.response_style,
        Preference::ResponseStyle,
        &mut cleared,
    );
    let temperature = chosen(
        &changes.temperature,
        &known.temperature,
        Preference::Temperature,
        &mut cleared,
    );
    let save_history = chosen(
        &changes.save_history,
        &known.save_history,
        Preference::SaveHistory,
        &mut cleared,
    );
    let is_the_same = model.is_none()
        && response_style.is_none()
        && temperature.is_none()
        && save_history.is_none()
        && cleared.is_empty();
    if is_the_same {
        return Ok(Vec::new());
    }
    Ok(vec![AccountEvent::PreferencesChosen {
        model,
        response_style,
        temperature,
        save_history,
        cleared,
    }])
}

/// The new text of a part, if it is another than before.
fn told<T: AsRef<str>>(
    change: &Change<T>,
    known: Option<Imprint>,
    part: ProfilePart,
    cleared: &mut Vec<ProfilePart>,
) -> Option<Private<String>> {
    let same = |known: &Imprint, text: &T| known.is_of(text.as_ref());
    let changed = change.against(known.as_ref(), same, part, cleared);
    changed.map(private)
}

/// The new value of what is not private, if it is another than before.
fn chosen<T: Clone + PartialEq, N>(
    change: &Change<T>,
    known: &Option<T>,
    name: N,
    cleared: &mut Vec<N>,
) -> Option<T> {
    let changed = change.against(known.as_ref(), PartialEq::eq, name, cleared);
    changed.cloned()
}

fn private(text: &impl AsRef<str>) -> Private<String> {
    Private::new(text.as_ref().to_owned())
}
