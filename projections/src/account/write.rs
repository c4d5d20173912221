//! How changes of accounts are written.

use std::collections::BTreeMap;

use fido_domain::Recorded;
use fido_domain::account::{AccountEvent, Role};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::change::{Change, Mention};
use super::consents;
use crate::query::{Query, column};

pub(super) const INSERT: Query = Query::write(
    "account.insert",
    "insert into accounts (account_id, email, display_name, company_name, business_type, company_size, \
                           monthly_revenue, goals, model, response_style, temperature, save_history, \
                           roles, identities, sequence, created_at, erased_at) \
     select account_id, email::json, display_name::json, company_name::json, business_type::json, \
            company_size, monthly_revenue::json, goals::json, model, response_style, temperature, \
            save_history::boolean, string_to_array(roles, ','), string_to_array(identities, ','), \
            sequence, created_at, erased_at \
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], \
                 $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], \
                 $14::text[], $15::bigint[], $16::timestamptz[], $17::timestamptz[]) \
          as t (account_id, email, display_name, company_name, business_type, company_size, \
                monthly_revenue, goals, model, response_style, temperature, save_history, roles, \
                identities, sequence, created_at, erased_at)",
);

// What is null stays as it is, what is the empty text is taken away.
pub(super) const UPDATE: Query = Query::write(
    "account.update",
    "update accounts a \
     set sequence = t.sequence, \
         erased_at = coalesce(t.erased_at, a.erased_at), \
         roles = array(select held from unnest(a.roles) with ordinality as h (held, n) \
                       where held <> all(string_to_array(t.revoked, ',')) order by n) \
                 || string_to_array(t.granted, ','), \
         identities = case when t.erased_at is null \
                           then a.identities || string_to_array(t.linked, ',') else '{}' end, \
         email = coalesce(t.email::json, a.email), \
         display_name = coalesce(t.display_name::json, a.display_name), \
         company_name = case t.company_name when '' then null \
                             else coalesce(t.company_name::json, a.company_name) end, \
         business_type = case t.business_type when '' then null \
                              else coalesce(t.business_type::json, a.business_type) end, \
         company_size = case t.company_size when '' then null \
                             else coalesce(t.company_size, a.company_size) end, \
         monthly_revenue = case t.monthly_revenue when '' then null \
                                else coalesce(t.monthly_revenue::json, a.monthly_revenue) end, \
         goals = case t.goals when '' then null else coalesce(t.goals::json, a.goals) end, \
         model = case t.model when '' then null else coalesce(t.model, a.model) end, \
         response_style = case t.response_style when '' then null \
                               else coalesce(t.response_style, a.response_style) end, \
         temperature = case t.temperature when '' then null \
                            else coalesce(t.temperature, a.temperature) end, \
         save_history = case t.save_history when '' then null \
                             else coalesce(t.save_history::boolean, a.save_history) end \
     from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], \
                 $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], \
                 $13::text[], $14::text[], $15::text[], $16::text[], $17::text[]) \
          as t (account_id, sequence, erased_at, revoked, granted, linked, email, display_name, \
                company_name, business_type, company_size, monthly_revenue, goals, model, \
                response_style, temperature, save_history) \
     where a.account_id = t.account_id",
);

/// What a batch changes in accounts.
#[derive(Default)]
pub(crate) struct Changes {
    accounts: BTreeMap<Uuid, Change>,
    consents: consents::Changes,
}

/// What a new row has.
fn given(mention: &Mention) -> Option<&str> {
    mention.as_ref()?.as_deref()
}

/// What becomes of an older one, as [`UPDATE`] wants it.
fn changed(mention: &Mention) -> Option<&str> {
    Some(mention.as_ref()?.as_deref().unwrap_or(""))
}

/// Names as one text: an array of arrays is none that unnest takes apart row by row.
fn names(roles: &[Role]) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    names.join(",")
}

impl Changes {
    pub(crate) fn take(&mut self, recorded: &Recorded, event: AccountEvent) {
        let (id, at) = (recorded.aggregate_id, recorded.recorded_at);
        self.consents.take(id, &event, at);
        let change = self.accounts.entry(id).or_default();
        change.take(recorded, event);
    }

    pub(crate) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (id, change) in &self.accounts {
            match change.registered_at {
                Some(created_at) => new.push((*id, change, created_at)),
                None => old.push((*id, change)),
            }
        }
        if !new.is_empty() {
            insert(&new, replica).await?;
        }
        if !old.is_empty() {
            update(&old, replica).await?;
        }
        self.consents.write(replica).await
    }
}

async fn insert(
    new: &[(Uuid, &Change, OffsetDateTime)],
    replica: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    INSERT
        .ask()
        .bind(column!(new, |(id, ..)| *id))
        .bind(column!(new, |(_, new, _)| new.email.as_deref()))
        .bind(column!(new, |(_, new, _)| new.display_name.as_deref()))
        .bind(column!(new, |(_, new, _)| given(&new.company_name)))
        .bind(column!(new, |(_, new, _)| given(&new.business_type)))
        .bind(column!(new, |(_, new, _)| given(&new.company_size)))
        .bind(column!(new, |(_, new, _)| given(&new.monthly_revenue)))
        .bind(column!(new, |(_, new, _)| given(&new.goals)))
        .bind(column!(new, |(_, new, _)| given(&new.model)))
        .bind(column!(new, |(_, new, _)| given(&new.response_style)))
        .bind(column!(new, |(_, new, _)| given(&new.temperature)))
        .bind(column!(new, |(_, new, _)| given(&new.save_history)))
        .bind(column!(new, |(_, new, _)| names(&new.granted)))
        .bind(column!(new, |(_, new, _)| new.linked.join(",")))
        .bind(column!(new, |(_, new, _)| new.sequence))
        .bind(column!(new, |(.., created_at)| *created_at))
        .bind(column!(new, |(_, new, _)| new.erased_at))
        .execute(replica)
        .await?;
    Ok(())
}

async fn update(old: &[(Uuid, &Change)], replica: &mut PgConnection) -> Result<(), sqlx::Error> {
    UPDATE
        .ask()
        .bind(column!(old, |(id, _)| *id))
        .bind(column!(old, |(_, old)| old.sequence))
        .bind(column!(old, |(_, old)| old.erased_at))
        .bind(column!(old, |(_, old)| names(&old.revoked)))
        .bind(column!(old, |(_, old)| names(&old.granted)))
        .bind(column!(old, |(_, old)| old.linked.join(",")))
        .bind(column!(old, |(_, old)| old.email.as_deref()))
        .bind(column!(old, |(_, old)| old.display_name.as_deref()))
        .bind(column!(old, |(_, old)| changed(&old.company_name)))
        .bind(column!(old, |(_, old)| changed(&old.business_type)))
        .bind(column!(old, |(_, old)| changed(&old.company_size)))
        .bind(column!(old, |(_, old)| changed(&old.monthly_revenue)))
        .bind(column!(old, |(_, old)| changed(&old.goals)))
        .bind(column!(old, |(_, old)| changed(&old.model)))
        .bind(column!(old, |(_, old)| changed(&old.response_style)))
        .bind(column!(old, |(_, old)| changed(&old.temperature)))
        .bind(column!(old, |(_, old)| changed(&old.save_history)))
        .execute(replica)
        .await?;
    Ok(())
}
