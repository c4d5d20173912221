//! Puts a stored event's name and fields back together for serde, without copying either.

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess};
use serde::{Deserialize, Deserializer};

/// Reads `data` as the variant `event_type` of an enum that is tagged with `type` and `data`.
pub(crate) fn read<'de, E, D>(event_type: &str, data: D) -> Result<E, D::Error>
where
    E: Deserialize<'de>,
    D: Deserializer<'de>,
{
    E::deserialize(MapAccessDeserializer::new(Tagged {
        event_type: Some(event_type),
        data: Some(data),
    }))
}

/// The map `{"type": event_type, "data": data}`, handed out member by member.
struct Tagged<'a, D> {
    event_type: Option<&'a str>,
    data: Option<D>,
}

impl<'de, D: Deserializer<'de>> MapAccess<'de> for Tagged<'_, D> {
    type Error = D::Error;

    fn next_key_seed<K>(&mut self, seed: K) -> Result<Option<K::Value>, D::Error>
    where
        K: DeserializeSeed<'de>,
    {
        let key = match (&self.event_type, &self.data) {
            (Some(_), _) => "type",
            (None, Some(_)) => "data",
            (None, None) => return Ok(None),
        };
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V>(&mut self, seed: V) -> Result<V::Value, D::Error>
    where
        V: DeserializeSeed<'de>,
    {
        if let Some(event_type) = self.event_type.take() {
            return seed.deserialize(event_type.into_deserializer());
        }
        match self.data.take() {
            Some(data) => seed.deserialize(data),
            None => Err(D::Error::custom("there is no further member")),
        }
    }
}
