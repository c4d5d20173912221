//! What accounts have used, day by day: messages, answers, tokens.

mod write;

use sqlx::Row;
use time::Date;
use uuid::Uuid;

use crate::query::Query;
use crate::{ReadError, Snapshot};

pub(crate) use write::Changes;

/// In place of a co-pilot, for sections that were written on request.
pub const PLAN_GENERATION: &str = "plan_generation";

/// What a model has used for an account in a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUsage {
    /// The day, in UTC.
    pub day: Date,
    /// Who answered, or [`PLAN_GENERATION`].
    pub copilot: String,
    /// The model.
    pub model: String,
    /// How many replies or sections it gave.
    pub answers: i64,
    /// Tokens of the prompts.
    pub input_tokens: i64,
    /// Tokens of the answers.
    pub output_tokens: i64,
}

/// How much an account wrote to a co-pilot in a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageCount {
    /// The day, in UTC.
    pub day: Date,
    /// To whom.
    pub copilot: String,
    /// How many messages.
    pub messages: i64,
}

pub(crate) const QUERIES: &[Query] = &[
    MODELS,
    MESSAGES,
    write::REPLIES,
    write::SECTIONS,
    write::MESSAGES,
];

const MODELS: Query = Query::read(
    "usage.models",
    "select day, copilot, model, answers, input_tokens, output_tokens from usage_by_day \
     where account_id = $1 and day >= $2 and day < $3 order by day, copilot, model",
);

const MESSAGES: Query = Query::read(
    "usage.messages",
    "select day, copilot, messages from messages_by_day \
     where account_id = $1 and day >= $2 and day < $3 order by day, copilot",
);

/// What models have used for `account_id` on the days from `from` to before `to`, such as a month.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn models(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    from: Date,
    to: Date,
) -> Result<Vec<ModelUsage>, ReadError> {
    let rows = MODELS
        .ask()
        .bind(account_id)
        .bind(from)
        .bind(to)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ModelUsage {
                day: row.try_get("day")?,
                copilot: row.try_get("copilot")?,
                model: row.try_get("model")?,
                answers: row.try_get("answers")?,
                input_tokens: row.try_get("input_tokens")?,
                output_tokens: row.try_get("output_tokens")?,
            })
        })
        .collect()
}

/// How much `account_id` wrote on the days from `from` to before `to`.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn messages(
    snapshot: &mut Snapshot,
    account_id: Uuid,
    from: Date,
    to: Date,
) -> Result<Vec<MessageCount>, ReadError> {
    let rows = MESSAGES
        .ask()
        .bind(account_id)
        .bind(from)
        .bind(to)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(MessageCount {
                day: row.try_get("day")?,
                copilot: row.try_get("copilot")?,
                messages: row.try_get("messages")?,
            })
        })
        .collect()
}
