//! Noting what is known about the business.

use fido_domain::Private;
use fido_domain::plan::{FactKey, FactValue, Plan, PlanEvent, Source};
use uuid::Uuid;

use super::{Decision, PlanRefusal, events_if};

/// How many facts a plan holds.
pub const MOST_FACTS: usize = 200;

/// What a person said, a co-pilot does not correct; what a co-pilot gathered, either may.
pub(super) fn record(
    plan: &Plan,
    key: &FactKey,
    value: &FactValue,
    source: Source,
    conversation_id: Option<Uuid>,
) -> Decision {
    match (plan.fact(key), source) {
        (Some(known), Source::Model) if known.value.is_of(value.as_str()) => {
            return Ok(Vec::new());
        }
        (Some(known), Source::Model) if known.source == Source::User => {
            return Err(PlanRefusal::FactEnteredByPerson { key: key.clone() });
        }
        // A person who says what a co-pilot has gathered makes it their own.
        (Some(known), Source::User)
            if known.source == Source::User && known.value.is_of(value.as_str()) =>
        {
            return Ok(Vec::new());
        }
        (Some(_), Source::Model | Source::User) => {}
        (None, Source::Model | Source::User) => {
            if plan.fact_count() >= MOST_FACTS {
                return Err(PlanRefusal::TooManyFacts);
            }
        }
    }
    Ok(vec![PlanEvent::FactRecorded {
        key: key.clone(),
        value: Private::new(value.as_str().to_owned()),
        source,
        conversation_id,
    }])
}

pub(super) fn withdraw(plan: &Plan, key: &FactKey) -> Decision {
    let known = plan.fact(key).is_some();
    Ok(events_if(known, || PlanEvent::FactWithdrawn {
        key: key.clone(),
    }))
}
