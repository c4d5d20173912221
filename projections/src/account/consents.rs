//! What people have agreed to, and what no longer.

use std::collections::BTreeMap;

use fido_domain::account::{AccountEvent, PolicyVersion};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::{Query, column};
use crate::{ReadError, Snapshot};

/// Whether somebody agrees to a version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Which version.
    pub policy_version: String,
    /// They do, or no longer.
    pub accepted: bool,
    /// Since when.
    pub decided_at: OffsetDateTime,
}

const OF_ONE: Query = Query::read(
    "account.consents",
    "select policy_version, accepted, decided_at from consents where account_id = $1",
);

const UPSERT: Query = Query::write(
    "account.decide_consents",
    "insert into consents (account_id, policy_version, accepted, decided_at) \
     select account_id, policy_version, accepted, decided_at \
     from unnest($1::uuid[], $2::text[], $3::boolean[], $4::timestamptz[]) \
          as t (account_id, policy_version, accepted, decided_at) \
     on conflict (account_id, policy_version) do update \
     set accepted = excluded.accepted, decided_at = excluded.decided_at",
);

pub(crate) const QUERIES: &[Query] = &[OF_ONE, UPSERT];

/// What `account_id` has decided on, by version.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn consents(
    snapshot: &mut Snapshot,
    account_id: Uuid,
) -> Result<Vec<ConsentRow>, ReadError> {
    let rows = OF_ONE
        .ask()
        .bind(account_id)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    let mut consents = rows
        .iter()
        .map(|row| {
            Ok(ConsentRow {
                policy_version: row.try_get("policy_version")?,
                accepted: row.try_get("accepted")?,
                decided_at: row.try_get("decided_at")?,
            })
        })
        .collect::<Result<Vec<_>, ReadError>>()?;
    // They are few, and the database would sort them, too.
    consents.sort_by(|one, other| one.policy_version.cmp(&other.policy_version));
    Ok(consents)
}

/// What a batch changes in consents: the last word on each.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<(Uuid, PolicyVersion), (bool, OffsetDateTime)>);

impl Changes {
    pub(super) fn take(&mut self, account_id: Uuid, event: &AccountEvent, at: OffsetDateTime) {
        let accepted = matches!(event, AccountEvent::ConsentGiven { .. });
        if let AccountEvent::ConsentGiven { policy_version }
        | AccountEvent::ConsentWithdrawn { policy_version } = event
        {
            let consent = (account_id, policy_version.clone());
            self.0.insert(consent, (accepted, at));
        }
    }

    pub(super) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let rows = &self.0;
        if rows.is_empty() {
            return Ok(());
        }
        UPSERT
            .ask()
            .bind(column!(rows, |((account_id, _), _)| *account_id))
            .bind(column!(rows, |((_, version), _)| version.as_str()))
            .bind(column!(rows, |(_, (accepted, _))| *accepted))
            .bind(column!(rows, |(_, (_, decided_at))| *decided_at))
            .execute(replica)
            .await?;
        Ok(())
    }
}
