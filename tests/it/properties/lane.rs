//! Where cases run one after the other: one log that grows, and the processes that write to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fido::stack::PostgresCluster;
use fido_commands::log::Log;
use fido_domain::{Position, Recorded};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use super::order::Cast;
use super::process::Process;
use crate::cut::{self, Fault, Proxy};
use crate::event_store::Database;

/// A server that may be restarted by whoever has it to itself.
pub(super) type Server = Arc<tokio::sync::Mutex<PostgresCluster>>;

/// One lane.
pub(super) struct Lane {
    pub(super) server: Server,
    database: Database,
    pub(super) processes: Vec<Mutex<Process>>,
    /// The lines of processes that were killed.
    departed: Mutex<Vec<Arc<Proxy>>>,
    /// Past all proxies.
    pool: PgPool,
}

impl Lane {
    /// A lane on a database of its own, with processes enough for any case.
    pub(super) async fn start(server: Server) -> Self {
        let database = Database::create(&*server.lock().await).await;
        let processes = (0..3).map(|_| Mutex::new(Process::start(&database)));
        let processes = processes.collect();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(database.owner.clone());
        Self {
            server,
            database,
            processes,
            departed: Mutex::default(),
            pool,
        }
    }

    /// The lines of all processes.
    pub(super) fn proxies(&self) -> impl Iterator<Item = Arc<Proxy>> {
        let proxy = |process: &Mutex<Process>| process.lock().unwrap().proxy();
        self.processes.iter().map(proxy)
    }

    /// Kills a process and starts it again.
    pub(super) fn restart_process(&self, process: usize) {
        let next = Process::start(&self.database);
        let last = std::mem::replace(&mut *self.processes[process].lock().unwrap(), next);
        self.processes[process]
            .lock()
            .unwrap()
            .proxy()
            .take_over(&last.proxy());
        self.departed.lock().unwrap().push(last.kill());
    }

    /// Waits until nothing that was sent can change the log any more, and returns the faults that have
    /// struck since the last time.
    pub(super) async fn settle(&self) -> Vec<Fault> {
        let departed = self.departed.lock().unwrap().clone();
        let proxies: Vec<_> = departed.into_iter().chain(self.proxies()).collect();
        cut::settle(proxies.iter().map(Arc::as_ref), &self.pool).await;
        proxies.iter().flat_map(|proxy| proxy.disarm()).collect()
    }

    /// The log's head.
    pub(super) async fn head(&self) -> Position {
        Log::new(self.pool.clone()).head().await.unwrap()
    }

    /// The log after `position`.
    pub(super) async fn log(&self, position: Position) -> Vec<Recorded> {
        Log::new(self.pool.clone())
            .after(position, i64::MAX)
            .await
            .unwrap()
    }

    /// The rows of the streams of `cast`: last sequence, first and last position.
    pub(super) async fn streams(&self, cast: &Cast) -> BTreeMap<Uuid, (i64, Position, Position)> {
        let ids: Vec<String> = cast.streams().map(|id| id.to_string()).collect();
        let rows: Vec<(String, i64, Position, Position)> = sqlx::query_as(
            "select aggregate_id, last_sequence, first_position, last_position from streams \
             where aggregate_type = 'conversation' and aggregate_id = any($1)",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(id, sequence, first, last)| (id.parse().unwrap(), (sequence, first, last)))
            .collect()
    }

    /// Which stream holds which claim of `cast`.
    pub(super) async fn claims(&self, cast: &Cast) -> BTreeMap<(String, Vec<u8>), Uuid> {
        let rows: Vec<(String, Vec<u8>, String)> =
            sqlx::query_as("select kind, hash, aggregate_id from claims where hash = any($1)")
                .bind(cast.hashes())
                .fetch_all(&self.pool)
                .await
                .unwrap();
        rows.into_iter()
            .map(|(kind, hash, id)| ((kind, hash), id.parse().unwrap()))
            .collect()
    }

    /// What the receipts of `cast` say: first and last position, by key.
    pub(super) async fn receipts(&self, cast: &Cast) -> BTreeMap<Vec<u8>, (Position, Position)> {
        let rows: Vec<(Vec<u8>, Position, Position)> = sqlx::query_as(
            "select key_hash, first_position, last_position from receipts where account_id = $1",
        )
        .bind(cast.account)
        .fetch_all(&self.pool)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(key, first, last)| (key, (first, last)))
            .collect()
    }
}
