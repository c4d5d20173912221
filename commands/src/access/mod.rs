//! What is told of the door: sign-ins, refusals, and what staff looked at.
//!
//! Nothing is decided here. What [`Recorder`] is told has happened already, so there is no refusing it;
//! it only has to come into the log without holding anybody up.

mod pending;
mod recorder;

use std::convert::Infallible;

use fido_domain::access::{Access, AccessEvent};

use crate::Decide;

pub use pending::Refusal;
pub use recorder::Recorder;

/// Tells what has happened at the door.
#[derive(Debug, Clone)]
pub struct RecordAccess(pub Vec<AccessEvent>);

impl Decide for Access {
    type Command = RecordAccess;
    type Refusal = Infallible;

    fn decide(
        &self,
        RecordAccess(happened): &RecordAccess,
    ) -> Result<Vec<AccessEvent>, Infallible> {
        Ok(happened.clone())
    }
}
