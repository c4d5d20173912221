//! Which events a projector knows. The others it leaves to a newer build.

use fido_domain::access::{Access, AccessEvent};
use fido_domain::account::{Account, AccountEvent};
use fido_domain::conversation::{Conversation, ConversationEvent};
use fido_domain::plan::{Plan, PlanEvent};
use fido_domain::{Evolve, Recorded, knows};

/// Tells whether an event is of a type and a version that is known.
pub type Knows = fn(&Recorded) -> bool;

/// What this build knows.
pub fn this_build(event: &Recorded) -> bool {
    let (name, version) = (event.event_type.as_str(), event.event_version.as_str());
    match event.aggregate_type.as_str() {
        Access::TYPE => knows::<AccessEvent>(name, version),
        Account::TYPE => knows::<AccountEvent>(name, version),
        Conversation::TYPE => knows::<ConversationEvent>(name, version),
        Plan::TYPE => knows::<PlanEvent>(name, version),
        _another => false,
    }
}
