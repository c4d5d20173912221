//! What a business takes in a month: an amount of money and its currency.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Digits before the decimal point.
const WHOLE: usize = 15;
/// Digits behind it; no currency has more (ISO 4217).
const FRACTION: usize = 4;

/// A text that is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a decimal number as text, such as \"1200.50\": at most {WHOLE} digits, and {FRACTION} behind the point"
)]
pub struct NoAmount;

/// A text that is no currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency code such as EUR (ISO 4217)")]
pub struct NoCurrency;

/// An amount of money from 0 on: `0`, `12`, `12.50`. The digits stay as they were given.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Amount(String);

/// The code of a currency: three capital letters.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency(String);

/// Both in one text: `1200.50 EUR`.
#[derive(Clone, PartialEq, Eq)]
pub struct MonthlyRevenue(String);

impl Amount {
    /// Accepts digits with at most one point in between: no sign, no exponent, no zeros before the
    /// number.
    ///
    /// # Errors
    /// [`NoAmount`].
    pub fn parse(text: impl Into<String>) -> Result<Self, NoAmount> {
        let text = text.into();
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text.as_str(), None),
        };
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let is_amount = digits(whole, WHOLE)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(|fraction| digits(fraction, FRACTION));
        is_amount.then_some(Self(text)).ok_or(NoAmount)
    }
}

impl Currency {
    /// Accepts three capital letters.
    ///
    /// # Errors
    /// [`NoCurrency`].
    pub fn parse(text: impl Into<String>) -> Result<Self, NoCurrency> {
        let text = text.into();
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then_some(Self(text)).ok_or(NoCurrency)
    }
}

impl MonthlyRevenue {
    /// So much of this currency.
    pub fn new(Amount(amount): Amount, Currency(currency): Currency) -> Self {
        Self(format!("{amount} {currency}"))
    }

    /// Amount and currency of one that was stored as `text`.
    pub fn parts(text: &str) -> Option<(&str, &str)> {
        text.split_once(' ')
    }
}

impl AsRef<str> for MonthlyRevenue {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for MonthlyRevenue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MonthlyRevenue(…)")
    }
}

impl std::fmt::Debug for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Amount(…)")
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Currency(…)")
    }
}

impl TryFrom<String> for Amount {
    type Error = NoAmount;

    fn try_from(text: String) -> Result<Self, NoAmount> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Currency {
    type Error = NoCurrency;

    fn try_from(text: String) -> Result<Self, NoCurrency> {
        Self::parse(text)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
            "description": "Decimal text, from 0 on.",
        })
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "description": "The code of a currency (ISO 4217).",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_kept_as_it_was_given() {
        for amount in ["0", "0.10", "1200.50", "999999999999999.9999"] {
            let (parsed, currency) = (Amount::parse(amount), Currency::parse("EUR"));
            let revenue = MonthlyRevenue::new(parsed.ok().unwrap(), currency.ok().unwrap());
            let parts = MonthlyRevenue::parts(revenue.as_ref());
            assert_eq!(parts, Some((amount, "EUR")));
        }
    }

    #[test]
    fn whatever_is_no_amount_or_no_currency_is_refused() {
        for wrong in [
            "",
            "-1",
            "+1",
            "1e3",
            "01",
            ".5",
            "5.",
            "1,5",
            "1.00000",
            "1.0.0",
            "1 000",
            "NaN",
            "1000000000000000",
        ] {
            assert_eq!(Amount::parse(wrong).err(), Some(NoAmount), "{wrong}");
        }
        for wrong in ["", "eur", "EURO", "E R", "€€€"] {
            assert_eq!(Currency::parse(wrong).err(), Some(NoCurrency), "{wrong}");
        }
    }
}
