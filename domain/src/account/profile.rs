//! Who somebody is and what they do, as they tell it themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AccountEvent;
use crate::Private;
use crate::text::{Line, Text};

/// What a person is called on screen.
pub type DisplayName = Line<100>;
/// What their company is called.
pub type CompanyName = Line<200>;
/// What kind of business it is, in their own words.
pub type BusinessType = Line<100>;
/// What they want to achieve.
pub type Goals = Text<2_000>;

/// How many people work in a company, the person included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CompanySize {
    /// The person alone.
    #[serde(rename = "1")]
    One,
    /// 2 to 10.
    #[serde(rename = "2-10")]
    UpTo10,
    /// 11 to 50.
    #[serde(rename = "11-50")]
    UpTo50,
    /// 51 to 250.
    #[serde(rename = "51-250")]
    UpTo250,
    /// More than that.
    #[serde(rename = "251+")]
    More,
}

impl CompanySize {
    /// All of them, from small to large.
    pub const ALL: [Self; 5] = [
        Self::One,
        Self::UpTo10,
        Self::UpTo50,
        Self::UpTo250,
        Self::More,
    ];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::UpTo10 => "2-10",
            Self::UpTo50 => "11-50",
            Self::UpTo250 => "51-250",
            Self::More => "251+",
        }
    }
}

/// A part of the profile that need not be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfilePart {
    /// What the company is called.
    CompanyName,
    /// What kind of business it is.
    BusinessType,
    /// How many people work there.
    CompanySize,
    /// What it takes in a month.
    MonthlyRevenue,
    /// What the person wants to achieve.
    Goals,
}

/// A profile: as people read it, and as decisions know it, without a text ([`crate::Imprint`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile<T> {
    /// The name on screen; none before the account was registered.
    pub display_name: Option<T>,
    /// What the company is called.
    pub company_name: Option<T>,
    /// What kind of business it is.
    pub business_type: Option<T>,
    /// How many people work there.
    pub company_size: Option<CompanySize>,
    /// What it takes in a month ([`super::MonthlyRevenue`]).
    pub monthly_revenue: Option<T>,
    /// What the person wants to achieve.
    pub goals: Option<T>,
}

impl<T> Default for Profile<T> {
    fn default() -> Self {
        Self {
            display_name: None,
            company_name: None,
            business_type: None,
            company_size: None,
            monthly_revenue: None,
            goals: None,
        }
    }
}

impl<T> Profile<T> {
    /// Takes over what a revision of the profile says, each text as `of` makes it.
    pub(super) fn revise(&mut self, event: &AccountEvent, of: impl Fn(&Private<String>) -> T) {
        let AccountEvent::ProfileRevised {
            display_name,
            company_name,
            business_type,
            company_size,
            monthly_revenue,
            goals,
            cleared,
        } = event
        else {
            return;
        };
        for part in cleared {
            self.clear(*part);
        }
        for (known, given) in [
            (&mut self.display_name, display_name),
            (&mut self.company_name, company_name),
            (&mut self.business_type, business_type),
            (&mut self.monthly_revenue, monthly_revenue),
            (&mut self.goals, goals),
        ] {
            if let Some(given) = given {
                *known = Some(of(given));
            }
        }
        self.company_size = company_size.or(self.company_size);
    }

    fn clear(&mut self, part: ProfilePart) {
        match part {
            ProfilePart::CompanyName => self.company_name = None,
            ProfilePart::BusinessType => self.business_type = None,
            ProfilePart::CompanySize => self.company_size = None,
            ProfilePart::MonthlyRevenue => self.monthly_revenue = None,
            ProfilePart::Goals => self.goals = None,
        }
    }
}
