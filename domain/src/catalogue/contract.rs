//! What one kind of stream stores: its events, their versions, their fields.

use serde_json::{Error, Value};

use super::fields::{Field, Node, Wordless, one_line};
use crate::recorded::{decode, encode};
use crate::upcast::{Shape, Upcaster, newest};
use crate::{Evolve, StoredEvent};

/// What one kind of stream stores.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The stored name of the kind of stream ([`Evolve::TYPE`]).
    pub aggregate_type: &'static str,
    /// What its events are about.
    pub meaning: String,
    /// Every event that can be written, in the order of its declaration.
    pub events: Vec<EventContract>,
    /// The steps from older shapes.
    pub upcasters: &'static [Upcaster],
    /// Reads a stored event (name, version, payload) and writes it as this build does. Fails where
    /// [`decode`] does.
    pub reread: fn(&str, &str, &str) -> Result<Reread, Error>,
}

/// What one event stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventContract {
    /// The stored name.
    pub event_type: String,
    /// The version under which it is written.
    pub version: &'static str,
    /// The shapes that are lifted to it when they are read, oldest first.
    pub older: Vec<Shape>,
    /// What has happened.
    pub meaning: String,
    /// What is stored of it.
    pub fields: Vec<Field>,
}

/// A stored event as this build would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reread {
    /// Its name.
    pub event_type: String,
    /// The version of its fields.
    pub event_version: String,
    /// Its fields.
    pub payload: Value,
}

impl Contract {
    /// The contract of the streams of `A`.
    ///
    /// # Errors
    /// [`Wordless`] names the field, or the event that has no named fields.
    pub fn of<A: Evolve>() -> Result<Self, Wordless> {
        let schema = Node::of::<A::Event>()?;
        let events = schema.one_of.iter().map(event::<A::Event>);
        Ok(Self {
            aggregate_type: A::TYPE,
            meaning: one_line(&schema.description),
            events: events.collect::<Result<_, _>>()?,
            upcasters: A::Event::UPCASTERS,
            reread: reread::<A::Event>,
        })
    }

    /// Every stored name at every version that this build reads, as `(name, version)`.
    pub fn shapes(&self) -> Vec<(&str, &str)> {
        let older = self.upcasters.iter().map(|step| step.from);
        let newest = self
            .events
            .iter()
            .map(|event| (&*event.event_type, event.version));
        older
            .map(|shape| (shape.event_type, shape.version))
            .chain(newest)
            .collect()
    }
}

/// One variant of the event enum: `{"type": name, "data": fields}`.
fn event<E: StoredEvent>(variant: &Node) -> Result<EventContract, Wordless> {
    let name = variant.properties.get("type").and_then(Node::choices);
    let event_type = match name.as_deref() {
        Some(&[name]) => name.to_owned(),
        _ => return Err(Wordless("an event without a stored name".to_owned())),
    };
    let data = variant.properties.get("data");
    let fields = data
        .ok_or_else(|| Wordless(format!("{event_type}, which has no named fields,")))?
        .fields(&event_type)?;
    let version = newest::<E>(&event_type);
    Ok(EventContract {
        older: older::<E>(&event_type, version),
        meaning: one_line(&variant.description),
        event_type,
        version,
        fields,
    })
}

/// The shapes that the steps lead from to `event_type` at `version`, oldest first.
fn older<E: StoredEvent>(event_type: &str, version: &str) -> Vec<Shape> {
    let mut lineage: Vec<Shape> = Vec::new();
    for step in E::UPCASTERS.iter().rev() {
        let leads_here = step.to.is(event_type, version) || lineage.contains(&step.to);
        if leads_here {
            lineage.insert(0, step.from);
        }
    }
    lineage
}

fn reread<E: StoredEvent>(
    event_type: &str,
    event_version: &str,
    payload: &str,
) -> Result<Reread, Error> {
    let event: E = decode(event_type, event_version, payload)?;
    Ok(Reread {
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: encode(&event)?,
    })
}
