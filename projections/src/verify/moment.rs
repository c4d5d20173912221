//! One moment of one schema: everything read through it belongs to one position.

use std::cmp::Ordering;
use std::time::Duration;

use fido_domain::Position;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};
use tokio::time::Instant;
use uuid::Uuid;

use super::digest::{self, Digest};
use super::{Table, VerifyError, tables};
use crate::SCHEMA;
use crate::run_sql;

/// How long two replicas may take to come to one position.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to look away from a replica that is behind.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A snapshot of a schema, on a connection of its own.
pub(crate) struct Moment {
    pub(super) connection: PgConnection,
    pub(super) schema: &'static str,
    position: Position,
    log_id: Option<Uuid>,
}

impl Moment {
    /// The schema as it is now; none when there is none.
    pub(crate) async fn of(
        place: &PgConnectOptions,
        schema: &'static str,
    ) -> Result<Option<Self>, VerifyError> {
        let mut connection = PgConnection::connect_with(place).await?;
        pin_text(&mut connection).await?;
        // As long as it takes: the role's bounds are meant for questions.
        run_sql(
            &mut connection,
            "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0",
        )
        .await?;
        if position(&mut connection, schema).await?.is_none() {
            return Ok(None);
        }
        let mut moment = Self {
            connection,
            schema,
            position: 0,
            log_id: None,
        };
        moment.take().await?;
        Ok(Some(moment))
    }

    /// Lets this moment go and takes the present one.
    async fn again(&mut self) -> Result<(), VerifyError> {
        run_sql(&mut self.connection, "rollback").await?;
        self.take().await
    }

    async fn take(&mut self) -> Result<(), VerifyError> {
        run_sql(
            &mut self.connection,
            "begin isolation level repeatable read read only",
        )
        .await?;
        let sql = format!("select position, log_id from {}.checkpoint", self.schema);
        let row = sqlx::query(&sql).fetch_one(&mut self.connection).await?;
        self.position = row.try_get("position")?;
        self.log_id = row.try_get("log_id")?;
        Ok(())
    }

    /// Which position it belongs to.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The tables that follow from the log.
    pub(super) async fn tables(&mut self) -> Result<Vec<Table>, VerifyError> {
        tables(&mut self.connection, self.schema).await
    }

    /// The hash of a table.
    pub(super) async fn digest(&mut self, table: &Table) -> Result<Digest, VerifyError> {
        Ok(digest::digest(&mut self.connection, self.schema, table).await?)
    }
}

/// Two replicas at one position: whichever is ahead is held while the other comes nearer.
pub(super) async fn at_one_position(
    one: &PgConnectOptions,
    other: &PgConnectOptions,
) -> Result<(Moment, Moment), VerifyError> {
    let no_replica = |place: &PgConnectOptions| VerifyError::NoReplica {
        schema: SCHEMA,
        of: place.get_database().unwrap_or_default().to_owned(),
    };
    let Some(mut first) = Moment::of(one, SCHEMA).await? else {
        return Err(no_replica(one));
    };
    let Some(mut second) = Moment::of(other, SCHEMA).await? else {
        return Err(no_replica(other));
    };
    if let (Some(log), Some(its)) = (first.log_id, second.log_id)
        && log != its
    {
        return Err(VerifyError::OtherLog);
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let behind = match first.position.cmp(&second.position) {
            Ordering::Equal => return Ok((first, second)),
            Ordering::Less => &mut first,
            Ordering::Greater => &mut second,
        };
        if Instant::now() > deadline {
            return Err(VerifyError::Apart {
                one: first.position,
                other: second.position,
            });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        behind.again().await?;
    }
}

/// Where the replica in `schema` stands; none when there is no such schema.
pub(crate) async fn position(
    replica: &mut PgConnection,
    schema: &str,
) -> Result<Option<Position>, sqlx::Error> {
    let there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(format!("{schema}.checkpoint"))
        .fetch_one(&mut *replica)
        .await?;
    if !there {
        return Ok(None);
    }
    sqlx::query_scalar(&format!("select position from {schema}.checkpoint"))
        .fetch_optional(replica)
        .await
}

/// Values are hashed as text, and how a server writes some of them is a matter of its settings.
pub(crate) async fn pin_text(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    run_sql(
        connection,
        "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; \
         set extra_float_digits = 1; set bytea_output = 'hex'; set lc_monetary = 'C'",
    )
    .await?;
    Ok(())
}
