//! Starting a plan, and describing the business anew.

use fido_domain::Private;
use fido_domain::plan::{
    BusinessName, Detail, Imprint, Industry, Location, Plan, PlanEvent, PlanTitle, Stage, Summary,
};
use uuid::Uuid;

use super::{Decision, PlanRefusal};
use crate::change::Change;

/// What is known of a business from the start.
#[derive(Debug, Clone)]
pub struct Given {
    /// What the plan is called.
    pub title: PlanTitle,
    /// What the business is called.
    pub business_name: Option<BusinessName>,
    /// What trade it is in.
    pub industry: Option<Industry>,
    /// Where it is.
    pub location: Option<Location>,
    /// How far it has come.
    pub stage: Option<Stage>,
    /// What it is about, in a few words.
    pub summary: Option<Summary>,
}

/// What is different about a business.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What the plan is called from now on, if that changes; a plan always has a title.
    pub title: Option<PlanTitle>,
    /// What the business is called.
    pub business_name: Change<BusinessName>,
    /// What trade it is in.
    pub industry: Change<Industry>,
    /// Where it is.
    pub location: Change<Location>,
    /// How far it has come.
    pub stage: Change<Stage>,
    /// What it is about, in a few words.
    pub summary: Change<Summary>,
}

pub(super) fn start(plan: &Plan, account_id: Uuid, given: &Given) -> Decision {
    if plan.owner().is_some() {
        return Err(PlanRefusal::AlreadyStarted);
    }
    Ok(vec![PlanEvent::PlanStarted {
        account_id,
        title: private(&given.title),
        business_name: given.business_name.as_ref().map(private),
        industry: given.industry.as_ref().map(private),
        location: given.location.as_ref().map(private),
        stage: given.stage,
        summary: given.summary.as_ref().map(private),
    }])
}

pub(super) fn describe(plan: &Plan, changes: &Changes) -> Decision {
    let known = plan.details();
    let mut cleared = Vec::new();
    let title = changes
        .title
        .as_ref()
        .filter(|title| !known.title.is_some_and(|known| known.is_of(title.as_str())))
        .map(private);
    let business_name = text(
        &changes.business_name,
        known.business_name,
        Detail::BusinessName,
        &mut cleared,
    );
    let industry = text(
        &changes.industry,
        known.industry,
        Detail::Industry,
        &mut cleared,
    );
    let location = text(
        &changes.location,
        known.location,
        Detail::Location,
        &mut cleared,
    );
    let stage = changes.stage.against(
        known.stage.as_ref(),
        |known, stage| known == stage,
        Detail::Stage,
        &mut cleared,
    );
    let summary = text(
        &changes.summary,
        known.summary,
        Detail::Summary,
        &mut cleared,
    );
    let texts = [&title, &business_name, &industry, &location, &summary];
    if texts.iter().all(|text| text.is_none()) && stage.is_none() && cleared.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![PlanEvent::PlanDescribed {
        title,
        business_name,
        industry,
        location,
        stage: stage.copied(),
        summary,
        cleared,
    }])
}

/// The new text of a detail, if it is another than before.
fn text<T: AsRef<str>>(
    change: &Change<T>,
    known: Option<Imprint>,
    detail: Detail,
    cleared: &mut Vec<Detail>,
) -> Option<Private<String>> {
    let same = |known: &Imprint, text: &T| known.is_of(text.as_ref());
    let changed = change.against(known.as_ref(), same, detail, cleared);
    changed.map(private)
}

fn private(text: &impl AsRef<str>) -> Private<String> {
    Private::new(text.as_ref().to_owned())
}
