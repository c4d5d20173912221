//! Everything that follows from the log on a replica, to be compared.

use std::collections::BTreeMap;

use fido_projections::operation::OPERATIONAL_TABLES;
use sqlx::PgConnection;

/// The rows of every table, as text, in the order of that text.
#[derive(Debug)]
pub(super) struct Contents(BTreeMap<String, Vec<String>>);

impl Contents {
    pub(super) async fn of(replica: &mut PgConnection) -> Self {
        let tables: Vec<String> = sqlx::query_scalar(
            "select c.relname::text from pg_class c \
             where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') \
               and not c.relispartition and c.relname <> all($1)",
        )
        .bind(OPERATIONAL_TABLES.as_slice())
        .fetch_all(&mut *replica)
        .await
        .unwrap();
        let mut contents = BTreeMap::new();
        for table in tables {
            let rows = sqlx::query_scalar(&format!("select t::text from {table} t order by 1"))
                .fetch_all(&mut *replica)
                .await
                .unwrap();
            contents.insert(table, rows);
        }
        let contents = Self(contents);
        assert!(
            contents.0.contains_key("timeline"),
            "{:?}",
            contents.0.keys()
        );
        contents
    }

    /// Fails with the first row that is different.
    pub(super) fn must_equal(&self, wanted: &Self) {
        let tables = |contents: &Self| contents.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(tables(self), tables(wanted));
        for (table, rows) in &self.0 {
            let wanted = &wanted.0[table];
            for (row, other) in rows.iter().zip(wanted) {
                assert_eq!(row, other, "the first difference in {table}");
            }
            assert_eq!(rows.len(), wanted.len(), "rows in {table}");
        }
    }
}
