//! Changes of single values of a replica, by which a comparison shows what it sees.

use sqlx::PgConnection;

use crate::replica_scene::Replica;

/// Changes of single values of a replica, one after the other, each undone before the next.
pub(crate) struct Flips {
    owner: PgConnection,
    /// Table, column, type, and whether it belongs to the primary key.
    columns: Vec<(String, String, String, bool)>,
}

impl Flips {
    /// Of every column of every table that follows from the log and has rows.
    pub(crate) async fn of(replica: &Replica) -> Self {
        let mut owner = replica.as_owner().await;
        let all: Vec<(String, String, String, bool)> = sqlx::query_as(
            "select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), \
                    exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary \
                                                     and a.attnum = any(i.indkey)) \
               from pg_class c join pg_attribute a on a.attrelid = c.oid \
              where c.relnamespace = 'fido'::regnamespace and c.relkind in ('r', 'p') \
                and not c.relispartition and a.attnum > 0 and not a.attisdropped \
                and a.attgenerated = '' and c.relname <> all($1) order by 1, a.attnum",
        )
        .bind(fido_projections::operation::OPERATIONAL_TABLES.as_slice())
        .fetch_all(&mut owner)
        .await
        .unwrap();
        let mut columns = Vec::new();
        for column in all {
            let sql = format!("select exists (select from fido.{})", column.0);
            if sqlx::query_scalar(&sql)
                .fetch_one(&mut owner)
                .await
                .unwrap()
            {
                columns.push(column);
            }
        }
        Self { owner, columns }
    }

    pub(crate) fn columns(&self) -> Vec<(String, String, String, bool)> {
        self.columns.clone()
    }

    /// Changes one value; tells in which row, by its whole key.
    pub(crate) async fn flip(&mut self, table: &str, column: &str, data_type: &str) {
        let old = column;
        let new = match data_type {
            "text" => format!("coalesce({old}, '') || 'x'"),
            "bigint" | "integer" | "smallint" => format!("coalesce({old}, 0) + 1000"),
            "boolean" => format!("not coalesce({old}, false)"),
            "uuid" => "gen_random_uuid()".to_owned(),
            "json" => format!("(coalesce({old}::text, '{{}}') || ' ')::json"),
            "timestamp with time zone" => {
                format!("coalesce({old}, 'epoch') + interval '1 microsecond'")
            }
            "date" => format!("coalesce({old}, 'epoch') + 1"),
            "text[]" => format!("array_append({old}, 'x')"),
            other => panic!("{table}.{column} is of type {other}: say how to change such a value"),
        };
        for statement in [
            "drop table if exists public.kept".to_owned(),
            format!("create table public.kept as select * from fido.{table}"),
            format!(
                "update fido.{table} set {column} = {new} \
                  where (tableoid, ctid) = (select tableoid, ctid from fido.{table} limit 1)"
            ),
        ] {
            sqlx::raw_sql(&statement)
                .execute(&mut self.owner)
                .await
                .unwrap();
        }
    }

    /// Everything is as before.
    pub(crate) async fn undo(&mut self, table: &str) {
        let of_table = self.columns.iter().filter(|(name, ..)| name == table);
        let columns: Vec<_> = of_table.map(|(_, column, ..)| column.as_str()).collect();
        let columns = columns.join(", ");
        for statement in [
            format!("delete from fido.{table}"),
            format!("insert into fido.{table} ({columns}) select {columns} from public.kept"),
            "drop table public.kept".to_owned(),
        ] {
            sqlx::raw_sql(&statement)
                .execute(&mut self.owner)
                .await
                .unwrap();
        }
    }
}
