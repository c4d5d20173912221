//! What clients send about plans, and the commands and questions that it stands for.

use fido_commands::plan::{Changes, Given, PlanCommand};
use fido_commands::store::past::Moment;
use fido_domain::Position;
use fido_domain::plan::{BusinessName, Industry, Location, PlanStatus, PlanTitle, Stage, Summary};
use fido_projections::plan::{PlanCursor, PlanSummary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::answer::Limit;
use crate::cursor::Cursor;
use crate::extract::{Edit, given};

/// What a plan begins with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({ "title": "The bakery", "industry": "Bread", "stage": "idea" }))]
pub(super) struct NewPlan {
    /// What the plan is called.
    title: PlanTitle,
    /// What the business is called.
    business_name: Option<BusinessName>,
    /// What trade it is in.
    industry: Option<Industry>,
    /// Where it is.
    location: Option<Location>,
    /// How far it has come.
    stage: Option<Stage>,
    /// What it is about, in a few words.
    summary: Option<Summary>,
}

impl NewPlan {
    pub(super) fn command(self, account_id: Uuid) -> PlanCommand {
        PlanCommand::StartPlan {
            account_id,
            given: Given {
                title: self.title,
                business_name: self.business_name,
                industry: self.industry,
                location: self.location,
                stage: self.stage,
                summary: self.summary,
            },
        }
    }
}

/// What is different about a plan from now on. A detail that is left out
/// stays as it is, and one that is null is no longer given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChangedPlan", example = json!({ "title": "The mill", "industry": null }))]
pub(super) struct Changed {
    /// What the plan is called; a plan always has a title.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "PlanTitle")]
    title: Option<PlanTitle>,
    /// What the business is called.
    #[serde(default)]
    business_name: Edit<BusinessName>,
    /// What trade it is in.
    #[serde(default)]
    industry: Edit<Industry>,
    /// Where it is.
    #[serde(default)]
    location: Edit<Location>,
    /// How far it has come.
    #[serde(default)]
    stage: Edit<Stage>,
    /// What it is about, in a few words.
    #[serde(default)]
    summary: Edit<Summary>,
    /// Whether the plan is in use: `active`, or put away as `archived`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "PlanStatus")]
    status: Option<PlanStatus>,
}

impl Changed {
    pub(super) fn command(self, account_id: Uuid) -> PlanCommand {
        PlanCommand::DescribePlan {
            account_id,
            changes: Changes {
                title: self.title,
                business_name: self.business_name.0,
                industry: self.industry.0,
                location: self.location.0,
                stage: self.stage.0,
                summary: self.summary.0,
                status: self.status,
            },
        }
    }
}

/// The parameters of `GET /v1/plans`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// Only those in use, or only those put away.
    status: Option<PlanStatus>,
    /// How many.
    #[serde(default)]
    pub(super) limit: Limit,
    /// The `next` of the page before.
    cursor: Option<Cursor<Newest>>,
}

impl Listing {
    pub(super) fn status(&self) -> Option<PlanStatus> {
        self.status
    }

    pub(super) fn before(&self) -> Option<PlanCursor> {
        self.cursor.as_ref().map(|Cursor(last)| PlanCursor {
            created_at: last.at,
            plan_id: last.id,
        })
    }
}

/// Where a page of the list ends.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Newest {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    id: Uuid,
}

/// The cursor of the page behind `last`.
pub(super) fn newest(last: &PlanSummary) -> Newest {
    Newest {
        at: last.created_at,
        id: last.plan_id,
    }
}

/// The parameters of `GET /v1/plans/{plan_id}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Looking {
    /// Shows the plan as it was: when the log had come to this position, or at this RFC 3339 time.
    #[schemars(with = "Option<String>")]
    at: Option<When>,
}

impl Looking {
    pub(super) fn moment(&self) -> Option<Moment> {
        self.at.as_ref().map(|When(moment)| *moment)
    }
}

/// A position, or a time.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct When(Moment);

impl TryFrom<String> for When {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let position = text
            .parse()
            .ok()
            .filter(|position: &Position| *position >= 0);
        if let Some(position) = position {
            return Ok(Self(Moment::Position(position)));
        }
        OffsetDateTime::parse(&text, &Rfc3339)
            .map(|time| Self(Moment::Time(time)))
            .map_err(|_| "must be a position, or a time such as 2026-01-31T12:00:00Z")
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn when(text: &str) -> Option<Moment> {
        When::try_from(text.to_owned())
            .ok()
            .map(|When(moment)| moment)
    }

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        assert_eq!(when("0"), Some(Moment::Position(0)));
        assert_eq!(when("42"), Some(Moment::Position(42)));
        let noon = Moment::Time(datetime!(2026-01-31 12:00 UTC));
        assert_eq!(when("2026-01-31T12:00:00Z"), Some(noon));
        assert_eq!(when("2026-01-31T13:00:00+01:00"), Some(noon));
        for text in ["", "-1", "now", "2026-01-31", "1.5", "9223372036854775808"] {
            assert_eq!(when(text), None, "{text}");
        }
    }
}
