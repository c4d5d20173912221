//! Accounts as seen: the profile.

use std::collections::BTreeMap;

use fido_domain::account::{AccountEvent, Role};
use fido_domain::{Private, Recorded};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::{Query, column};
use crate::rows::{ERASED, stored};
use crate::{ReadError, Snapshot, private};

/// Who somebody is.
#[derive(Debug, Clone)]
pub struct AccountProfile {
    /// The account.
    pub account_id: Uuid,
    /// Where to write to.
    pub email: Private<String>,
    /// What to call them.
    pub display_name: Private<String>,
    /// What they may do.
    pub roles: Vec<String>,
    /// The account's stream is this long.
    pub sequence: i64,
    /// Since when there is the account.
    pub created_at: OffsetDateTime,
    /// When everything about them was erased.
    pub erased_at: Option<OffsetDateTime>,
}

pub(crate) const QUERIES: &[Query] = &[PROFILE, INSERT, UPDATE];

const PROFILE: Query = Query::read(
    "account.profile",
    "select account_id, email, display_name, roles, sequence, created_at, erased_at \
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
            roles: row.try_get("roles")?,
            sequence: row.try_get("sequence")?,
            created_at: row.try_get("created_at")?,
            erased_at: row.try_get("erased_at")?,
        })
    })
    .transpose()
}

const INSERT: Query = Query::write(
    "account.insert",
    "insert into accounts (account_id, email, display_name, roles, sequence, created_at, erased_at) \
     select account_id, email::json, display_name::json, string_to_array(roles, ','), sequence, \
            created_at, erased_at \
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], \
                 $7::timestamptz[]) \
          as t (account_id, email, display_name, roles, sequence, created_at, erased_at)",
);

const UPDATE: Query = Query::write(
    "account.update",
    r#"update accounts a
       set sequence = t.sequence,
           erased_at = coalesce(t.erased_at, a.erased_at),
           roles = array(select held from unnest(a.roles) with ordinality as h (held, n)
                         where held <> all(string_to_array(t.revoked, ',')) order by n)
                   || string_to_array(t.granted, ','),
           email = case when t.erased_at is null then a.email else '{"erased":true}'::json end,
           display_name = case when t.erased_at is null then a.display_name else '{"erased":true}'::json end
       from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[])
            as t (account_id, sequence, erased_at, revoked, granted)
       where a.account_id = t.account_id"#,
);

/// Roles as one text: an array of arrays is none that unnest takes apart row by row.
fn names(roles: &[Role]) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    names.join(",")
}

/// What a batch changes in accounts.
#[derive(Default)]
pub(crate) struct Changes(BTreeMap<Uuid, Change>);

#[derive(Default)]
struct Change {
    registered: Option<Registered>,
    sequence: i64,
    erased_at: Option<OffsetDateTime>,
    /// Roles of the row that are gone, and those that come behind the ones that stay.
    revoked: Vec<Role>,
    granted: Vec<Role>,
}

struct Registered {
    email: String,
    display_name: String,
    created_at: OffsetDateTime,
}

impl Changes {
    pub(crate) fn take(&mut self, recorded: &Recorded, event: AccountEvent) {
        let change = self.0.entry(recorded.aggregate_id).or_default();
        change.sequence = recorded.sequence;
        match event {
            AccountEvent::AccountRegistered {
                email,
                display_name,
                roles,
            } => {
                change.granted = roles;
                change.registered = Some(Registered {
                    email: stored(&email),
                    display_name: stored(&display_name),
                    created_at: recorded.recorded_at,
                });
            }
            // The key goes after the event; nothing is shown in between.
            AccountEvent::AccountErased {} => {
                change.erased_at = Some(recorded.recorded_at);
                if let Some(registered) = &mut change.registered {
                    ERASED.clone_into(&mut registered.email);
                    ERASED.clone_into(&mut registered.display_name);
                }
            }
            AccountEvent::RoleGranted { role, .. } => change.granted.push(role),
            AccountEvent::RoleRevoked { role, .. } => {
                let before = change.granted.len();
                change.granted.retain(|granted| *granted != role);
                if change.granted.len() == before {
                    change.revoked.push(role);
                }
            }
        }
    }

    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (id, change) in &self.0 {
            match &change.registered {
                Some(registered) => new.push((id, change, registered)),
                None => old.push((id, change)),
            }
        }
        if !new.is_empty() {
            INSERT
                .ask()
                .bind(column!(new, |(id, ..)| **id))
                .bind(column!(new, |(.., new)| new.email.as_str()))
                .bind(column!(new, |(.., new)| new.display_name.as_str()))
                .bind(column!(new, |(_, change, _)| names(&change.granted)))
                .bind(column!(new, |(_, change, _)| change.sequence))
                .bind(column!(new, |(.., new)| new.created_at))
                .bind(column!(new, |(_, change, _)| change.erased_at))
                .execute(&mut *replica)
                .await?;
        }
        if !old.is_empty() {
            UPDATE
                .ask()
                .bind(column!(old, |(id, _)| **id))
                .bind(column!(old, |(_, change)| change.sequence))
                .bind(column!(old, |(_, change)| change.erased_at))
                .bind(column!(old, |(_, change)| names(&change.revoked)))
                .bind(column!(old, |(_, change)| names(&change.granted)))
                .execute(replica)
                .await?;
        }
        Ok(())
    }
}
