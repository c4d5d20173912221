//! The projector's own session on the replica. It holds a lock as long as it lives, so that of several
//! projectors one is at work and the others stand by.

use std::pin::pin;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{sleep, timeout};

/// How often a session that has nothing else to say shows that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(2);
/// After how long without a word a session is taken for dead: its process was stopped, or its machine
/// is gone and the server has not noticed.
const SILENCE_SECONDS: i32 = 10;
/// How often a projector that stands by looks whether it is its turn.
const LOOK: Duration = Duration::from_millis(200);
/// How long an answer is waited for that the server bounds by itself, as long as there is a server.
const ANSWER: Duration = Duration::from_secs(300);
/// The first half of the lock's name; the other is the schema.
const LOCK: i32 = i32::from_be_bytes(*b"fido");

/// The replica in the hands of this projector.
pub(super) struct Session {
    connection: PgConnection,
}

impl Session {
    /// Waits until no other projector is at work on the replica behind `pool`, whose name is
    /// `replica`. One that has gone silent is dismissed: its session is ended, so that nothing of it
    /// can be written any more.
    pub(super) async fn take(pool: &PgPool, replica: &str) -> Result<Self, sqlx::Error> {
        // A batch may take longer than a question.
        let options = PgConnectOptions::clone(&pool.connect_options())
            .application_name("fido projector")
            .options([("statement_timeout", "60s"), ("lock_timeout", "30s")]);
        let mut connection = bounded(HEARTBEAT * 5, PgConnection::connect_with(&options)).await?;
        let mut told = false;
        loop {
            let taken: bool =
                sqlx::query_scalar("select pg_try_advisory_lock($1, hashtext(current_schema()))")
                    .bind(LOCK)
                    .fetch_one(&mut connection)
                    .await?;
            if taken {
                return Ok(Self { connection });
            }
            if !told {
                tracing::info!(
                    replica.name = replica,
                    "another projector is at work; this one stands by"
                );
                told = true;
            }
            if dismiss_the_silent(&mut connection).await? {
                tracing::warn!(
                    replica.name = replica,
                    "the projector at work has not been heard of for {SILENCE_SECONDS} s; its session was ended"
                );
            }
            sleep(LOOK).await;
        }
    }

    /// The connection, for work that does not take long.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Waits for something that happens elsewhere, and shows meanwhile that the session lives.
    ///
    /// # Errors
    /// When it does not any more.
    pub(super) async fn during<F: Future>(
        &mut self,
        elsewhere: F,
    ) -> Result<F::Output, sqlx::Error> {
        let mut elsewhere = pin!(elsewhere);
        loop {
            match timeout(HEARTBEAT, &mut elsewhere).await {
                Ok(happened) => return Ok(happened),
                Err(_elapsed) => self.beat().await?,
            }
        }
    }

    /// Shows that the session lives, and sees whether it does.
    pub(super) async fn beat(&mut self) -> Result<(), sqlx::Error> {
        bounded(HEARTBEAT * 5, self.connection.ping()).await
    }
}

/// Work on the replica that ends even when its machine is gone.
pub(super) async fn answered<T, E: From<sqlx::Error>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    bounded(ANSWER, work).await
}

async fn bounded<T, E: From<sqlx::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(limit, work).await.unwrap_or_else(|_elapsed| {
        let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the replica does not answer");
        Err(sqlx::Error::Io(late).into())
    })
}

/// Ends the session that holds the lock if it has had nothing to say for long. Whoever is at work has
/// a statement running, or says every few seconds that it lives.
async fn dismiss_the_silent(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let dismissed: Vec<bool> = sqlx::query_scalar(
        "select pg_terminate_backend(a.pid) \
         from pg_locks l join pg_stat_activity a using (pid) \
         where l.locktype = 'advisory' and l.granted and l.objsubid = 2 \
           and l.database = (select oid from pg_database where datname = current_database()) \
           and l.classid = $1::bigint::oid \
           and l.objid = (hashtext(current_schema())::bigint & 4294967295)::oid \
           and a.state like 'idle%' and a.state_change < clock_timestamp() - make_interval(secs => $2)",
    )
    .bind(LOCK)
    .bind(f64::from(SILENCE_SECONDS))
    .fetch_all(connection)
    .await?;
    Ok(dismissed.contains(&true))
}
