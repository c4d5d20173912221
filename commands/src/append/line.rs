//! The appender's own connection, and what an error on it means.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// What an error says about the commands that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing: they may have been taken, or be taken yet.
    Unknown,
    /// They were not taken, and might be another time.
    Busy,
    /// They were not taken: the database refuses at least one of them.
    Refused,
}

/// What `error` says about the commands that were sent.
pub(super) fn meaning(error: &sqlx::Error) -> Meaning {
    let Some(refusal) = error.as_database_error() else {
        // Whatever is not the server's own word leaves open what the server did.
        return Meaning::Unknown;
    };
    match refusal.code().as_deref() {
        // The server goes away or is not there (57P01 to 57P05), or the connection failed (class 08).
        Some(code) if code.starts_with("57P") || code.starts_with("08") => Meaning::Unknown,
        // Not in time (lock_timeout, statement_timeout), a deadlock or a serialisation failure, or the
        // server is short of something (class 53): the transaction was rolled back.
        Some("55P03" | "57014" | "40001" | "40P01") => Meaning::Busy,
        Some(code) if code.starts_with("53") => Meaning::Busy,
        Some(_) | None => Meaning::Refused,
    }
}

/// A connection that is opened when it is needed. A pool would ping it on every release.
pub(super) struct Line {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Line {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            connection: None,
        }
    }

    /// The connection; opened if there is none.
    pub(super) async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => tokio::time::timeout(CONNECT, PgConnection::connect_with(&self.options))
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)??,
        };
        Ok(self.connection.insert(connection))
    }

    /// Gives the connection up without a word: it is broken, or nobody knows.
    pub(super) fn cut(&mut self) {
        self.connection = None;
    }
}
