//! How somebody wants to be answered.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::AccountEvent;
use crate::word::Word;

/// A model, as its provider calls it.
pub type ModelName = Word<100>;

/// How much is said in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseStyle {
    /// The point, and no more.
    Concise,
    /// What one has to know.
    Balanced,
    /// With reasons and examples.
    Detailed,
}

impl ResponseStyle {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Concise => "concise",
            Self::Balanced => "balanced",
            Self::Detailed => "detailed",
        }
    }
}

/// How freely a model chooses its words: 0 to 2, in hundredths. Stored as decimal text.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Temperature {
    hundredths: u8,
}

/// Why a number is no temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 0 to 2 with at most two digits behind the point")]
pub struct NoTemperature;

impl Temperature {
    /// Accepts 0 to 2 with at most two digits behind the point.
    ///
    /// # Errors
    /// [`NoTemperature`].
    pub fn parse(number: f64) -> Result<Self, NoTemperature> {
        let hundredths = (number * 100.0).round();
        let is_exact = (number * 100.0 - hundredths).abs() < 1e-9;
        if is_exact && (0.0..=200.0).contains(&hundredths) {
            // A whole number from 0 to 200 loses nothing.
            Ok(Self {
                hundredths: hundredths as u8,
            })
        } else {
            Err(NoTemperature)
        }
    }

    /// As a number.
    pub fn number(self) -> f64 {
        f64::from(self.hundredths) / 100.0
    }
}

impl fmt::Display for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.hundredths / 100, self.hundredths % 100)
    }
}

impl fmt::Debug for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Temperature {
    type Error = NoTemperature;

    fn try_from(text: String) -> Result<Self, NoTemperature> {
        Self::parse(text.parse().map_err(|_| NoTemperature)?)
    }
}

impl From<Temperature> for String {
    fn from(temperature: Temperature) -> Self {
        temperature.to_string()
    }
}

impl JsonSchema for Temperature {
    fn schema_name() -> Cow<'static, str> {
        "Temperature".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 4})
    }
}

/// A preference that need not be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// Which model answers.
    Model,
    /// How much it says.
    ResponseStyle,
    /// How freely it chooses its words.
    Temperature,
    /// Whether conversations are kept.
    SaveHistory,
}

/// What somebody has chosen; what is none is as Fido has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Which model answers.
    pub model: Option<ModelName>,
    /// How much it says.
    pub response_style: Option<ResponseStyle>,
    /// How freely it chooses its words.
    pub temperature: Option<Temperature>,
    /// Whether conversations are kept.
    pub save_history: Option<bool>,
}

impl Preferences {
    /// Takes over what was chosen.
    pub(super) fn choose(&mut self, event: &AccountEvent) {
        let AccountEvent::PreferencesChosen {
            model,
            response_style,
            temperature,
            save_history,
            cleared,
        } = event
        else {
            return;
        };
        for preference in cleared {
            match preference {
                Preference::Model => self.model = None,
                Preference::ResponseStyle => self.response_style = None,
                Preference::Temperature => self.temperature = None,
                Preference::SaveHistory => self.save_history = None,
            }
        }
        if let Some(model) = model {
            self.model = Some(model.clone());
        }
        self.response_style = response_style.or(self.response_style);
        self.temperature = temperature.or(self.temperature);
        self.save_history = save_history.or(self.save_history);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_is_from_0_to_2_in_hundredths() {
        for (number, text) in [(0.0, "0.00"), (0.7, "0.70"), (1.15, "1.15"), (2.0, "2.00")] {
            let temperature = Temperature::parse(number).unwrap();
            assert_eq!(temperature.to_string(), text);
            assert_eq!(Temperature::try_from(text.to_owned()), Ok(temperature));
            assert!((temperature.number() - number).abs() < 1e-12);
        }
        for wrong in [-0.01, 2.01, 0.705, f64::NAN, f64::INFINITY] {
            assert_eq!(Temperature::parse(wrong), Err(NoTemperature), "{wrong}");
        }
    }
}
