//! Accounts as seen: the profile, preferences and consents.

mod change;
mod consents;
mod write;

use fido_domain::Private;
use sqlx::Row;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::Query;
use crate::{ReadError, Snapshot, private, private_if_any};

pub(crate) use consents::QUERIES as CONSENT_QUERIES;
pub use consents::{ConsentRow, consents};
pub(crate) use write::Changes;

/// Who somebody is.
#[derive(Debug, Clone)]
pub struct AccountProfile {
    /// The account.
    pub account_id: Uuid,
    /// Where to write to.
    pub email: Private<String>,
    /// What to call them.
    pub display_name: Private<String>,
    /// What their company is called.
    pub company_name: Option<Private<String>>,
    /// What kind of business it is.
    pub business_type: Option<Private<String>>,
    /// How many people work there.
    pub company_size: Option<String>,
    /// What it takes in a month: amount and currency.
    pub monthly_revenue: Option<Private<String>>,
    /// What they want to achieve.
    pub goals: Option<Private<String>>,
    /// Which model is to answer.
    pub model: Option<String>,
    /// How much it is to say.
    pub response_style: Option<String>,
    /// How freely it is to choose its words: decimal text.
    pub temperature: Option<String>,
    /// Whether conversations are to be kept.
    pub save_history: Option<bool>,
    /// Providers that they can sign in with.
    pub identities: Vec<String>,
    /// What they may do.
    pub roles: Vec<String>,
    /// The account's stream is this long.
    pub sequence: i64,
    /// Since when there is the account.
    pub created_at: OffsetDateTime,
    /// When everything about them was erased.
    pub erased_at: Option<OffsetDateTime>,
}

pub(crate) const QUERIES: &[Query] = &[PROFILE, write::INSERT, write::UPDATE];

const PROFILE: Query = Query::read(
    "account.profile",
    "select account_id, email, display_name, company_name, business_type, company_size, monthly_revenue, \
            goals, model, response_style, temperature, save_history, identities, roles, sequence, \
            created_at, erased_at \
     from accounts where account_id = $1",
);

/// The profile of one account.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn profile(
    snapshot: &mut Snapshot,
    account_id: Uuid,
) -> Result<Option<AccountProfile>, ReadError> {
    let row = PROFILE
        .ask()
        .bind(account_id)
        .fetch_optional(&mut *snapshot.transaction)
        .await?;
    row.map(|row| {
        Ok(AccountProfile {
            account_id: row.try_get("account_id")?,
            email: private(&row, "email")?,
            display_name: private(&row, "display_name")?,
            company_name: private_if_any(&row, "company_name")?,
            business_type: private_if_any(&row, "business_type")?,
            company_size: row.try_get("company_size")?,
            monthly_revenue: private_if_any(&row, "monthly_revenue")?,
            goals: private_if_any(&row, "goals")?,
            model: row.try_get("model")?,
            response_style: row.try_get("response_style")?,
            temperature: row.try_get("temperature")?,
            save_history: row.try_get("save_history")?,
            identities: row.try_get("identities")?,
            roles: row.try_get("roles")?,
            sequence: row.try_get("sequence")?,
            created_at: row.try_get("created_at")?,
            erased_at: row.try_get("erased_at")?,
        })
    })
    .transpose()
}
