//! A replica for a test that writes its rows itself.

use std::str::FromStr;

use fido::stack::OWNER;
use fido_domain::Recorded;
use fido_projections::{Replicas, SCHEMA, Snapshot, rows};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};

use crate::ground::{TEMPLATE_REPLICA, cluster, new_database};

/// An empty replica, as the role that Fido runs as.
pub(super) struct Replica {
    pub(super) pool: PgPool,
    owner_url: String,
}

impl Replica {
    pub(super) async fn empty() -> Self {
        let cluster = cluster().await;
        let name = new_database(&cluster, TEMPLATE_REPLICA).await;
        let options = PgConnectOptions::from_str(&cluster.url(&name, "fido_app")).unwrap();
        let pool = PgPool::connect_with(options.options([("search_path", SCHEMA)]))
            .await
            .unwrap();
        let owner_url = cluster.url(&name, OWNER);
        Self { pool, owner_url }
    }

    /// Writes the rows of `events`, `batch` of them at a time.
    pub(super) async fn write(&self, events: &[Recorded], batch: usize) {
        let mut connection = self.pool.acquire().await.unwrap();
        for batch in events.chunks(batch) {
            let mut transaction = connection.begin().await.unwrap();
            rows::write(&mut transaction, batch).await.unwrap();
            transaction.commit().await.unwrap();
        }
    }

    /// Lets the database look at what is there, as autovacuum does in time.
    pub(super) async fn analyze(&self) {
        let mut owner = PgConnection::connect(&self.owner_url).await.unwrap();
        sqlx::raw_sql("vacuum analyze")
            .execute(&mut owner)
            .await
            .unwrap();
    }

    pub(super) async fn snapshot(&self) -> Snapshot {
        let replicas = Replicas::new([fido_projections::Replica {
            name: "rows".to_owned(),
            pool: self.pool.clone(),
            is_reserved: false,
        }]);
        replicas.read(None).await.unwrap()
    }

    /// The tables that follow from the log.
    pub(super) async fn tables(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select relname::text from pg_class \
             where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') \
               and not relispartition \
               and relname <> all(array['_sqlx_migrations', 'checkpoint', 'drift', 'projector', 'quarantine']) \
             order by relname",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// Every row of `table`, as text, in order.
    pub(super) async fn rows(&self, table: &str) -> Vec<String> {
        let every = format!("select t::text from {table} t order by 1");
        sqlx::query_scalar(&every)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}
