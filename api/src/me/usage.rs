//! What an account has used this month.

use axum::extract::State;
use fido_commands::ambient;
use fido_projections::usage::{self, MessageCount, ModelUsage};
use schemars::JsonSchema;
use serde::Serialize;
use time::{Date, Month};

use crate::answer::{At, Found};
use crate::extract::MinPosition;
use crate::identity::SignedIn;
use crate::{Answer, App};

/// What an account has used in a month of UTC.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MonthlyUsage")]
pub(super) struct Usage {
    /// The month, as in `2026-01`.
    month: String,
    /// How many messages the person wrote.
    messages: i64,
    /// How many replies and sections models wrote.
    answers: i64,
    /// Tokens of the prompts, as their providers count them.
    input_tokens: i64,
    /// Tokens of the answers.
    output_tokens: i64,
    /// What that cost; `null`, as no prices are known.
    cost: Option<Cost>,
    /// How much of it is allowed.
    limits: Limits,
    /// The same by model, by its name.
    models: Vec<OfModel>,
}

/// An amount of money.
#[derive(Debug, Serialize, JsonSchema)]
struct Cost {
    /// Decimal text.
    amount: String,
    /// The code of its currency (ISO 4217).
    currency: String,
}

/// How much is allowed in a month; what is `null` is not limited.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Limits {
    /// How many messages.
    messages: Option<i64>,
    /// How many tokens.
    tokens: Option<i64>,
    /// For how much money.
    cost: Option<Cost>,
}

/// What one model has used.
#[derive(Debug, Serialize, JsonSchema)]
struct OfModel {
    /// The model, as its provider calls it.
    model: String,
    /// How many replies and sections it wrote.
    answers: i64,
    /// Tokens of the prompts.
    input_tokens: i64,
    /// Tokens of the answers.
    output_tokens: i64,
}

pub(super) async fn usage(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
) -> Answer<Found<Usage>> {
    let account = who.account_id;
    let (from, to) = month_of(ambient::now().date());
    let query = |mut snapshot| async move {
        let models = usage::models(&mut snapshot, account, from, to).await?;
        let messages = usage::messages(&mut snapshot, account, from, to).await?;
        Ok((models, messages))
    };
    let (position, (models, messages)) = api.replicas.ask(at_least, query).await?;
    let usage = Usage::of(from, models, &messages);
    Ok(Found::of(usage).with(At(position)))
}

/// The first day of the month of `day`, and that of the next.
fn month_of(day: Date) -> (Date, Date) {
    // Every month of every year has a first day.
    let first = |year, month| Date::from_calendar_date(year, month, 1).unwrap_or(Date::MAX);
    let next_year = day.year() + i32::from(day.month() == Month::December);
    (
        first(day.year(), day.month()),
        first(next_year, day.month().next()),
    )
}

impl Usage {
    fn of(month: Date, models: Vec<ModelUsage>, messages: &[MessageCount]) -> Self {
        let mut of_models: Vec<OfModel> = Vec::new();
        for used in models {
            let known = of_models.iter_mut().find(|of| of.model == used.model);
            match known {
                Some(of) => of.add(&used),
                None => of_models.push(used.into()),
            }
        }
        of_models.sort_by(|one, other| one.model.cmp(&other.model));
        Self {
            month: format!("{}-{:02}", month.year(), u8::from(month.month())),
            messages: messages.iter().map(|count| count.messages).sum(),
            answers: of_models.iter().map(|of| of.answers).sum(),
            input_tokens: of_models.iter().map(|of| of.input_tokens).sum(),
            output_tokens: of_models.iter().map(|of| of.output_tokens).sum(),
            cost: None,
            limits: Limits::default(),
            models: of_models,
        }
    }
}

impl OfModel {
    fn add(&mut self, used: &ModelUsage) {
        self.answers += used.answers;
        self.input_tokens += used.input_tokens;
        self.output_tokens += used.output_tokens;
    }
}

impl From<ModelUsage> for OfModel {
    fn from(used: ModelUsage) -> Self {
        Self {
            model: used.model,
            answers: used.answers,
            input_tokens: used.input_tokens,
            output_tokens: used.output_tokens,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let december = (date!(2026 - 12 - 01), date!(2027 - 01 - 01));
        assert_eq!(month_of(date!(2026 - 12 - 31)), december);
        let february = (date!(2028 - 02 - 01), date!(2028 - 03 - 01));
        assert_eq!(month_of(date!(2028 - 02 - 29)), february);
    }

    #[test]
    fn days_and_copilots_add_up_by_model() {
        let used = |day, copilot: &str, model: &str, tokens| ModelUsage {
            day,
            copilot: copilot.to_owned(),
            model: model.to_owned(),
            answers: 1,
            input_tokens: tokens,
            output_tokens: 2 * tokens,
        };
        let day = date!(2026 - 01 - 01);
        let usage = Usage::of(
            day,
            vec![
                used(day, "growth_engine", "small", 1),
                used(day, "plan_generation", "large", 10),
                used(date!(2026 - 01 - 02), "growth_engine", "small", 100),
            ],
            &[],
        );
        assert_eq!(usage.month, "2026-01");
        assert_eq!((usage.input_tokens, usage.output_tokens), (111, 222));
        let models: Vec<_> = usage
            .models
            .iter()
            .map(|of| (of.model.as_str(), of.answers, of.input_tokens))
            .collect();
        assert_eq!(models, [("large", 1, 10), ("small", 2, 101)]);
    }
}
