//! A stream whose events have a past, for tests: two names and three versions of one event.

use cqrs_es::DomainEvent;
use fido_domain::upcast::{Payload, Shape, Upcaster, newest};
use fido_domain::{Evolve, Private, StoredEvent};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Error;

/// What can happen to a guest list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub(crate) enum GuestsEvent {
    /// People came.
    #[serde(rename = "guests_welcomed")]
    GuestsWelcomed {
        /// Who.
        names: Vec<String>,
        /// How many there are.
        count: u32,
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<Private<String>>,
    },
    /// Everybody went.
    #[serde(rename = "guests_left")]
    GuestsLeft {},
}

impl DomainEvent for GuestsEvent {
    fn event_type(&self) -> String {
        match self {
            Self::GuestsWelcomed { .. } => "guests_welcomed",
            Self::GuestsLeft {} => "guests_left",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        newest::<Self>(&self.event_type()).to_owned()
    }
}

impl StoredEvent for GuestsEvent {
    const UPCASTERS: &'static [Upcaster] = &[
        // {name} -> {names}
        Upcaster {
            from: Shape::new("guest_came", "1"),
            to: Shape::new("guest_came", "2"),
            lift: |fields| {
                let name = taken(fields, "name")?;
                fields.insert("names".to_owned(), vec![name].into());
                Ok(())
            },
        },
        // The name changed, and nothing else.
        Upcaster {
            from: Shape::new("guest_came", "2"),
            to: Shape::new("guests_welcomed", "1"),
            lift: |_| Ok(()),
        },
        // + count
        Upcaster {
            from: Shape::new("guests_welcomed", "1"),
            to: Shape::new("guests_welcomed", "2"),
            lift: |fields| {
                let names = fields.get("names").and_then(|names| names.as_array());
                let count = names.map(Vec::len).ok_or_else(|| missing("names"))?;
                fields.insert("count".to_owned(), count.into());
                Ok(())
            },
        },
    ];
}

fn taken(fields: &mut Payload, name: &str) -> Result<serde_json::Value, Error> {
    fields.remove(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::custom(format_args!("there is no {name}"))
}

/// The guest list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Guests {
    present: u32,
}

impl Evolve for Guests {
    const TYPE: &'static str = "guests";
    type Event = GuestsEvent;

    fn evolve(&mut self, event: &GuestsEvent) {
        match event {
            GuestsEvent::GuestsWelcomed { count, .. } => self.present += count,
            GuestsEvent::GuestsLeft {} => self.present = 0,
        }
    }
}
