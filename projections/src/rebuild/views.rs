//! Views outside the replica's schema that show its tables, such as those for analysts.
//!
//! A view refers to tables by identity, so after a rename it would go on showing the old ones. Each is
//! replaced by its own definition in the transaction of the switch, when the names mean the new tables:
//! the view stays the same object, so grants, comments and other views on it stay too.

use sqlx::{PgConnection, Row};

use super::RebuildError;
use crate::run_sql;

/// A view as it is defined.
pub(super) struct View {
    /// Schema and name, quoted.
    name: String,
    /// The statement that makes it.
    statement: String,
}

/// The views outside of `schema` that show something in it. The transaction's `search_path` must be
/// empty, so that every name in them is written out.
pub(super) async fn on(
    transaction: &mut PgConnection,
    schema: &str,
) -> Result<Vec<View>, RebuildError> {
    let rows = sqlx::query(
        "select format('%I.%I', n.nspname, v.relname) as name, \
                format('create or replace view %I.%I %s as %s', n.nspname, v.relname, \
                       'with (' || array_to_string(v.reloptions, ', ') || ')', \
                       pg_get_viewdef(v.oid)) as statement \
           from pg_class v join pg_namespace n on n.oid = v.relnamespace \
          where v.relkind = 'v' and n.nspname <> $1 and v.oid in ( \
                select r.ev_class from pg_depend d \
                  join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass \
                  join pg_class t on t.oid = d.refobjid and d.refclassid = 'pg_class'::regclass \
                 where t.relnamespace = to_regnamespace($1)) \
          order by 1",
    )
    .bind(schema)
    .fetch_all(transaction)
    .await?;
    let view = |row: &sqlx::postgres::PgRow| -> Result<View, sqlx::Error> {
        Ok(View {
            name: row.try_get("name")?,
            statement: row.try_get("statement")?,
        })
    };
    Ok(rows.iter().map(view).collect::<Result<_, _>>()?)
}

/// Defines `views` again, by what their names mean now.
pub(super) async fn replace(
    transaction: &mut PgConnection,
    views: Vec<View>,
) -> Result<(), RebuildError> {
    for view in views {
        run_sql(&mut *transaction, &view.statement)
            .await
            .map_err(|source| RebuildError::View {
                view: view.name,
                source,
            })?;
    }
    Ok(())
}

/// Says no where something outside of `schema` that is not a view shows or uses its tables.
pub(super) async fn refuse_what_cannot_be_replaced(
    owner: &mut PgConnection,
    schema: &str,
) -> Result<(), RebuildError> {
    let object: Option<String> = sqlx::query_scalar(
        "select pg_describe_object(d.classid, d.objid, d.objsubid) \
           from pg_depend d \
           join pg_class t on t.oid = d.refobjid and d.refclassid = 'pg_class'::regclass \
           left join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass \
           left join pg_class v on v.oid = r.ev_class \
           left join pg_proc p on p.oid = d.objid and d.classid = 'pg_proc'::regclass \
           left join pg_constraint c on c.oid = d.objid and d.classid = 'pg_constraint'::regclass \
          where t.relnamespace = to_regnamespace($1) \
            and (v.relkind = 'm' and v.relnamespace <> t.relnamespace \
                 or p.pronamespace <> t.relnamespace \
                 or c.connamespace <> t.relnamespace) \
          limit 1",
    )
    .bind(schema)
    .fetch_optional(owner)
    .await?
    .flatten();
    match object {
        Some(object) => Err(RebuildError::InTheWay { object }),
        None => Ok(()),
    }
}
