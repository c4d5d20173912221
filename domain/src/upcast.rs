//! Reading what older builds stored: each older shape of an event is lifted, step by step, to the
//! one that this build writes. What is stored never changes.

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde_json::{Error, Map, Value};

use crate::recorded::VERSION_1;

/// The fields of a stored event.
pub type Payload = Map<String, Value>;

/// A stored name and a version of its payload: what stands beside every stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The stored name (`events.event_type`).
    pub event_type: &'static str,
    /// The version of the fields (`events.event_version`).
    pub version: &'static str,
}

impl Shape {
    /// The shape of `event_type` at `version`.
    pub const fn new(event_type: &'static str, version: &'static str) -> Self {
        Self {
            event_type,
            version,
        }
    }

    pub(crate) fn is(self, event_type: &str, version: &str) -> bool {
        self.event_type == event_type && self.version == version
    }
}

/// One step from an older shape to the next one. The stored name may change as well.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    /// What was stored.
    pub from: Shape,
    /// What it becomes.
    pub to: Shape,
    /// Changes the fields of `from` into those of `to`, from nothing but themselves. Private
    /// content stays sealed here: it can be moved to another field, not read.
    pub lift: fn(&mut Payload) -> Result<(), Error>,
}

/// An event enum whose events are stored for ever, and can be read for ever.
///
/// It is adjacently tagged (`#[serde(tag = "type", content = "data")]`), each variant has its
/// stored name beside it and named fields. Its schema is what the catalogue of events shows.
pub trait StoredEvent: DomainEvent + JsonSchema {
    /// The steps from older shapes to newer ones, in the order in which they were introduced: a
    /// step is followed by the steps that its result may need. The last step to a name gives the
    /// version under which this build writes it.
    const UPCASTERS: &'static [Upcaster] = &[];
}

/// The version under which this build writes events of the name `event_type`.
pub fn newest<E: StoredEvent>(event_type: &str) -> &'static str {
    E::UPCASTERS
        .iter()
        .rev()
        .find(|step| step.to.event_type == event_type)
        .map_or(VERSION_1, |step| step.to.version)
}

/// Whether a step leads on from this shape, so that its payload has to be lifted before it is read.
pub(crate) fn is_older<E: StoredEvent>(event_type: &str, version: &str) -> bool {
    E::UPCASTERS
        .iter()
        .any(|step| step.from.is(event_type, version))
}

/// Lifts `payload` as far as the steps lead and answers with the name that it has then. Each step
/// is taken once at most, in their order, so this ends whatever the steps are.
///
/// # Errors
/// When a step cannot be taken, or the last one does not arrive at a version that this build writes.
pub(crate) fn lift<'a, E: StoredEvent>(
    mut event_type: &'a str,
    mut version: &'a str,
    payload: &mut Value,
) -> Result<&'a str, Error> {
    for step in E::UPCASTERS {
        if step.from.is(event_type, version) {
            let fields = payload
                .as_object_mut()
                .ok_or_else(|| Error::custom("the payload is not an object"))?;
            (step.lift)(fields)?;
            (event_type, version) = (step.to.event_type, step.to.version);
        }
    }
    is_newest::<E>(event_type, version)?;
    Ok(event_type)
}

/// An unknown version is not guessed at.
pub(crate) fn is_newest<E: StoredEvent>(event_type: &str, version: &str) -> Result<(), Error> {
    if version == newest::<E>(event_type) {
        Ok(())
    } else {
        Err(Error::custom(format_args!(
            "unknown version {version} of {event_type}"
        )))
    }
}
