//! Which events this build knows, by name and version alone: nothing of a payload is read.

use std::fmt::{self, Display};

use serde::de::{Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

use crate::tagged;
use crate::upcast::{self, StoredEvent};

/// Whether this build can read events of the name `event_type` in the shape `version`. Whoever meets
/// one that it does not know has to leave it to a newer build.
pub fn knows<E: StoredEvent>(event_type: &str, version: &str) -> bool {
    upcast::is_older::<E>(event_type, version)
        || (version == upcast::newest::<E>(event_type) && names::<E>(event_type))
}

/// Whether `E` has an event of that name: reading one gets as far as its fields.
fn names<E: StoredEvent>(event_type: &str) -> bool {
    !matches!(tagged::read::<E, _>(event_type, Fields), Err(Stop::Name))
}

/// Fields that nobody may read.
struct Fields;

/// Where reading came to an end.
#[derive(Debug)]
enum Stop {
    /// At the name: there is no such event.
    Name,
    /// Behind it.
    Fields,
}

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "there is no event of this name",
            Self::Fields => "its fields are not read",
        })
    }
}

impl std::error::Error for Stop {}

impl Error for Stop {
    fn custom<T: Display>(_: T) -> Self {
        Self::Fields
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::Name
    }
}

impl<'de> Deserializer<'de> for Fields {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        Err(Stop::Fields)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::knows;
    use crate::account::AccountEvent;
    use crate::conversation::ConversationEvent;
    use crate::plan::PlanEvent;

    #[test]
    fn an_event_is_known_by_its_name_and_its_version() {
        assert!(knows::<ConversationEvent>("message_posted", "1"));
        assert!(
            knows::<AccountEvent>("account_erased", "1"),
            "without fields"
        );
        assert!(knows::<PlanEvent>("section_revised", "1"));
        assert!(!knows::<ConversationEvent>("message_posted", "2"));
        assert!(!knows::<ConversationEvent>("message_sung", "1"));
        assert!(
            !knows::<ConversationEvent>("section_revised", "1"),
            "of another aggregate"
        );
    }
}
