//! What a plan says about the business as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Imprint, PlanEvent};
use crate::Private;
use crate::text::{Line, Text};

/// What a plan is called.
pub type PlanTitle = Line<200>;
/// What the business is called.
pub type BusinessName = Line<200>;
/// What trade the business is in, in the person's own words.
pub type Industry = Line<100>;
/// Where the business is.
pub type Location = Line<200>;
/// What the business is about, in a few words.
pub type Summary = Text<2_000>;

/// How far a business has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing but an idea.
    Idea,
    /// Being set up; little or nothing is sold.
    Startup,
    /// It sells.
    Operating,
    /// It sells and is being enlarged.
    Growth,
}

impl Stage {
    /// All of them, in the order in which a business goes through them.
    pub const ALL: [Self; 4] = [Self::Idea, Self::Startup, Self::Operating, Self::Growth];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idea => "idea",
            Self::Startup => "startup",
            Self::Operating => "operating",
            Self::Growth => "growth",
        }
    }
}

/// A detail that need not be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// What the business is called.
    BusinessName,
    /// What trade it is in.
    Industry,
    /// Where it is.
    Location,
    /// How far it has come.
    Stage,
    /// What it is about.
    Summary,
}

/// The details of a plan: as people read them, and as decisions know them ([`KnownDetails`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details<T> {
    /// What the plan is called; none before it was started.
    pub title: Option<T>,
    /// What the business is called.
    pub business_name: Option<T>,
    /// What trade it is in.
    pub industry: Option<T>,
    /// Where it is.
    pub location: Option<T>,
    /// How far it has come.
    pub stage: Option<Stage>,
    /// What it is about, in a few words.
    pub summary: Option<T>,
}

/// Which details are given, without saying what they are.
pub type KnownDetails = Details<Imprint>;

impl<T> Default for Details<T> {
    fn default() -> Self {
        Self {
            title: None,
            business_name: None,
            industry: None,
            location: None,
            stage: None,
            summary: None,
        }
    }
}

impl<T> Details<T> {
    /// Takes over what `event` says about the business, if it says anything, each text as `of`
    /// makes it.
    pub(super) fn describe(&mut self, event: &PlanEvent, of: impl Fn(&Private<String>) -> T) {
        let title = if let PlanEvent::PlanDescribed { title, cleared, .. } = event {
            self.clear(cleared);
            title.as_ref()
        } else if let PlanEvent::PlanStarted { title, .. } = event {
            Some(title)
        } else {
            None
        };
        let (PlanEvent::PlanDescribed {
            business_name,
            industry,
            location,
            stage,
            summary,
            ..
        }
        | PlanEvent::PlanStarted {
            business_name,
            industry,
            location,
            stage,
            summary,
            ..
        }) = event
        else {
            return;
        };
        for (known, given) in [
            (&mut self.title, title),
            (&mut self.business_name, business_name.as_ref()),
            (&mut self.industry, industry.as_ref()),
            (&mut self.location, location.as_ref()),
            (&mut self.summary, summary.as_ref()),
        ] {
            if let Some(given) = given {
                *known = Some(of(given));
            }
        }
        self.stage = stage.or(self.stage);
    }

    fn clear(&mut self, details: &[Detail]) {
        for detail in details {
            match detail {
                Detail::BusinessName => self.business_name = None,
                Detail::Industry => self.industry = None,
                Detail::Location => self.location = None,
                Detail::Stage => self.stage = None,
                Detail::Summary => self.summary = None,
            }
        }
    }
}
