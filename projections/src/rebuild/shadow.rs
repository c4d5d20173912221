//! A second schema with the tables of a replica, beside the live one.

use sqlx::migrate::Migrate;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use super::RebuildError;
use crate::{MIGRATIONS, run_sql, verify};

/// A schema with the tables of a replica, and a way to write into it.
pub(crate) struct Shadow {
    /// Its name.
    pub(crate) schema: &'static str,
    /// A connection for which unqualified names are those of the shadow.
    pub(crate) connection: PgConnection,
}

impl Shadow {
    /// The shadow `schema`, made by `build` now or in a run that was interrupted.
    pub(crate) async fn open(
        owner: &mut PgConnection,
        place: &PgConnectOptions,
        schema: &'static str,
        build: &str,
    ) -> Result<Self, RebuildError> {
        let mark = format!("made by build {build}");
        let found: Option<Option<String>> = sqlx::query_scalar(
            "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = $1",
        )
        .bind(schema)
        .fetch_optional(&mut *owner)
        .await?;
        if found
            .as_ref()
            .is_some_and(|found| found.as_ref() != Some(&mark))
        {
            drop_schema(owner, schema).await?;
        }
        if found != Some(Some(mark.clone())) {
            // One statement list, one transaction: without its mark nobody would know whose it is.
            let mark = mark.replace('\'', "''");
            run_sql(
                &mut *owner,
                &format!("create schema {schema}; comment on schema {schema} is '{mark}'"),
            )
            .await?;
        }
        let mut migrating = PgConnection::connect_with(&within(place, schema)).await?;
        MIGRATIONS.run(&mut migrating).await?;
        migrating.close().await?;
        Self::connect(place, schema).await
    }

    /// The shadow `schema` that is there already, if this build can write into it.
    pub(super) async fn found(
        owner: &mut PgConnection,
        place: &PgConnectOptions,
        schema: &'static str,
    ) -> Result<Self, RebuildError> {
        if verify::position(owner, schema).await?.is_none() {
            return Err(RebuildError::NothingBefore);
        }
        let mut looking = PgConnection::connect_with(&within(place, schema)).await?;
        let applied = looking.list_applied_migrations().await?;
        looking.close().await?;
        let known = MIGRATIONS
            .iter()
            .filter(|known| !known.migration_type.is_down_migration());
        let same = applied
            .iter()
            .map(|applied| (applied.version, &applied.checksum))
            .eq(known.map(|known| (known.version, &known.checksum)));
        if !same {
            return Err(RebuildError::OtherMigrations { schema });
        }
        Self::connect(place, schema).await
    }

    async fn connect(place: &PgConnectOptions, schema: &'static str) -> Result<Self, RebuildError> {
        let place = within(place, schema).options([
            // The commit of the switch writes out everything before it; a crash before that only
            // costs the last pages, and the checkpoint knows how far it came.
            ("synchronous_commit", "off"),
            ("statement_timeout", "0"),
        ]);
        let mut connection = PgConnection::connect_with(&place).await?;
        // What an operator said of it while it was live is not meant for a shadow.
        sqlx::query("update projector set paused_since = null, pause_reason = null")
            .execute(&mut connection)
            .await?;
        Ok(Self { schema, connection })
    }

    /// How many streams are in its quarantine.
    pub(super) async fn quarantined_streams(&mut self) -> Result<i64, RebuildError> {
        Ok(
            sqlx::query_scalar("select count(*) from quarantine where position = culprit")
                .fetch_one(&mut self.connection)
                .await?,
        )
    }

    /// Does what autovacuum has not come to yet, so that the first queries are planned well.
    pub(super) async fn settle(&self, owner: &mut PgConnection) -> Result<(), RebuildError> {
        for table in verify::all_tables(owner, self.schema).await? {
            run_sql(
                &mut *owner,
                &format!("vacuum (analyze) {}.{table}", self.schema),
            )
            .await?;
        }
        Ok(())
    }
}

/// Removes a schema and all that is in it, if it is there.
pub(crate) async fn drop_schema(
    owner: &mut PgConnection,
    schema: &str,
) -> Result<(), RebuildError> {
    run_sql(owner, &format!("drop schema if exists {schema} cascade")).await?;
    Ok(())
}

fn within(place: &PgConnectOptions, schema: &str) -> PgConnectOptions {
    place.clone().options([("search_path", schema)])
}
