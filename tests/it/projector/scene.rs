//! A log, a broker, and replicas with projectors that can be killed.

use std::process::Stdio;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream;
use fido::stack::{OWNER, PostgresCluster};
use fido_commands::EventStore;
use fido_commands::log::Log;
use fido_domain::Position;
use fido_nats::access::Role;
use fido_nats::replica::Announcement;
use fido_projections::operation::{self, Condition};
use fido_projections::projector::Projector;
use fido_projections::vocabulary::{self, Knows};
use fido_projections::{Replicas, SCHEMA};
use futures::StreamExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::contents::Contents;
use super::history::History;
use crate::ground::{Ground, TEMPLATE_REPLICA, cluster, new_database};
use crate::until::{PATIENCE, until};

/// A log and a broker; a relay between them unless it is told to stop.
pub(super) struct Scene {
    pub(super) ground: Ground,
    pub(super) store: EventStore,
    pub(super) log: Log,
    relay: CancellationToken,
}

impl Scene {
    pub(super) async fn begin() -> Self {
        let ground = Ground::prepare().await;
        let scene = Self {
            store: ground.store().await,
            log: Log::new(ground.pool().await),
            ground,
            relay: CancellationToken::new(),
        };
        let relay = scene.ground.system_as(Role::Relay).await;
        tokio::spawn(relay.relay(scene.relay.clone()));
        // Without a broker the replica would come along too.
        scene.stream_reaches(0).await;
        scene
    }

    /// Somebody who makes history.
    pub(super) fn history(&self) -> History {
        History::new(self.store.clone())
    }

    pub(super) async fn head(&self) -> Position {
        self.log.head().await.unwrap()
    }

    /// Waits until the broker has the log up to `position`.
    pub(super) async fn stream_reaches(&self, position: Position) {
        let jetstream = self.jetstream().await;
        until("the stream has come as far", async || {
            let stream = jetstream.get_stream("FIDO_EVENTS").await;
            let last = stream.map(|stream| stream.cached_info().state.last_sequence);
            last.is_ok_and(|last| last >= u64::try_from(position).unwrap())
        })
        .await;
    }

    /// From now on nothing reaches the broker.
    pub(super) fn stop_the_relay(&self) {
        self.relay.cancel();
    }

    /// The broker, as whoever may make and delete the event stream.
    pub(super) async fn jetstream(&self) -> jetstream::Context {
        self.ground.jetstream().await
    }

    /// A projector in this process.
    pub(super) async fn project(&self, replica: &Replica) -> Projecting {
        self.project_knowing(replica, vocabulary::this_build).await
    }

    /// A projector in this process that knows some events only.
    pub(super) async fn project_knowing(&self, replica: &Replica, knows: Knows) -> Projecting {
        let projector = Projector {
            replica: replica.name.clone(),
            pool: replica.pool().await,
            log: Log::new(self.ground.pool().await),
            nats: self.ground.system_as(Role::Projector).await.nats().clone(),
        };
        let forever = CancellationToken::new();
        Projecting {
            task: tokio::spawn(projector.run_knowing(knows, forever)),
        }
    }

    /// A projector of its own process.
    pub(super) fn process(&self, replica: &Replica) -> Process {
        let mut command = self.fido(replica, &["project"]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = process.stderr.take().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let heard = said.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut said = heard.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        Process { process, said }
    }

    /// The binary, for this replica.
    pub(super) fn fido(&self, replica: &Replica, arguments: &[&str]) -> Command {
        let mut command = self.ground.command(arguments);
        command.env("FIDO_REPLICAS", format!("{}={}", replica.name, replica.url));
        command
    }

    /// What `fido replica retry --json` answers, and whether it was content.
    pub(super) async fn retry(&self, replica: &Replica) -> (bool, Value) {
        let output = self
            .fido(replica, &["replica", "retry", "--json"])
            .output()
            .await
            .unwrap();
        let (content, text) = if output.status.success() {
            (true, output.stdout)
        } else {
            (false, output.stderr)
        };
        let text = String::from_utf8(text).unwrap();
        let json = text.find('{').unwrap_or_else(|| panic!("{text}"));
        (content, serde_json::from_str(&text[json..]).unwrap())
    }

    /// What a replica holds that is built from position 1, up to the head of the log.
    pub(super) async fn fresh_replay(&self) -> Contents {
        let replica = Replica::new(&*cluster().await).await;
        let projecting = self.project(&replica).await;
        replica.reaches(self.head().await).await;
        projecting.kill().await;
        replica.contents().await
    }

    /// Waits until the replica's projector announces something that is `so`.
    pub(super) async fn announces(&self, replica: &Replica, so: impl Fn(&Announcement) -> bool) {
        let listener = self.ground.system_as(Role::Api).await;
        let mut heard = listener.nats().replica_announcements().await.unwrap();
        let announced = tokio::time::timeout(PATIENCE, async {
            while let Some((name, announcement)) = heard.next().await {
                if name == replica.name && so(&announcement) {
                    return;
                }
            }
            panic!("nothing more is announced");
        });
        assert!(announced.await.is_ok(), "not announced");
    }

    /// The replica comes to the head of the log, and holds there what a fresh replay holds.
    pub(super) async fn is_a_replay(&self, replica: &Replica) {
        replica.reaches(self.head().await).await;
        let (found, wanted) = (replica.contents().await, self.fresh_replay().await);
        found.must_equal(&wanted);
        let log: Vec<Position> = (1..=self.head().await).collect();
        assert_eq!(replica.positions().await, log, "dense, each once");
    }
}

/// A projector in this process.
pub(super) struct Projecting {
    task: JoinHandle<()>,
}

impl Projecting {
    /// Ends it wherever it is; it gets to tell nobody.
    pub(super) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// A projector of its own process.
pub(super) struct Process {
    process: Child,
    said: Arc<Mutex<String>>,
}

impl Process {
    pub(super) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Whether it has logged `words`.
    pub(super) fn has_said(&self, words: &str) -> bool {
        self.said.lock().unwrap().contains(words)
    }

    /// Waits until it has logged `words`.
    pub(super) async fn says(&self, words: &str) {
        let said = tokio::time::timeout(PATIENCE, async {
            while !self.has_said(words) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(
            said.await.is_ok(),
            "never said {words}: {}",
            self.said.lock().unwrap()
        );
    }
}

/// A replica's database.
pub(super) struct Replica {
    pub(super) name: String,
    pub(super) url: String,
    owner_url: String,
}

impl Replica {
    /// A new, empty one on `cluster`.
    pub(super) async fn new(cluster: &PostgresCluster) -> Self {
        let name = new_database(cluster, TEMPLATE_REPLICA).await;
        Self {
            url: cluster.url(&name, "fido_app"),
            owner_url: cluster.url(&name, OWNER),
            name,
        }
    }

    /// A new, empty one on the cluster that all tests share.
    pub(super) async fn on_the_shared_cluster() -> Self {
        Self::new(&*cluster().await).await
    }

    fn options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::from_str(&self.url).unwrap();
        options.options([("search_path", SCHEMA)])
    }

    /// Connections as a process has them.
    pub(super) async fn pool(&self) -> PgPool {
        PgPool::connect_with(self.options()).await.unwrap()
    }

    /// A connection as the owner of the schema.
    pub(super) async fn owner(&self) -> PgConnection {
        let options = PgConnectOptions::from_str(&self.owner_url).unwrap();
        PgConnection::connect_with(&options.options([("search_path", SCHEMA)]))
            .await
            .unwrap()
    }

    /// As its owner.
    pub(super) async fn run(&self, statement: &str) {
        sqlx::raw_sql(statement)
            .execute(&mut self.owner().await)
            .await
            .unwrap();
    }

    pub(super) async fn position(&self) -> Position {
        sqlx::query_scalar("select position from checkpoint")
            .fetch_one(&mut self.owner().await)
            .await
            .unwrap()
    }

    /// Waits until it shows the log up to `position`.
    pub(super) async fn reaches(&self, position: Position) {
        let what = format!("{} is at {position}", self.name);
        let mut owner = self.owner().await;
        until(&what, async || {
            let reached: Position = sqlx::query_scalar("select position from checkpoint")
                .fetch_one(&mut owner)
                .await
                .unwrap();
            reached >= position
        })
        .await;
    }

    pub(super) async fn contents(&self) -> Contents {
        Contents::of(&mut self.owner().await).await
    }

    /// All positions that it shows, in order.
    pub(super) async fn positions(&self) -> Vec<Position> {
        sqlx::query_scalar("select position from timeline order by position")
            .fetch_all(&mut self.owner().await)
            .await
            .unwrap()
    }

    /// How it is looked after.
    pub(super) async fn condition(&self) -> Condition {
        let replicas = Replicas::new([fido_projections::Replica {
            name: self.name.clone(),
            pool: self.pool().await,
            is_reserved: false,
        }]);
        let mut snapshot = replicas.read(None).await.unwrap();
        operation::condition(&mut snapshot).await.unwrap()
    }

    /// A projection bug that lets no row of the event at `position` be written, until it is fixed.
    pub(super) async fn refuse(&self, position: Position) {
        self.run(&format!(
            "alter table timeline add constraint bug_{position} check (position <> {position})"
        ))
        .await;
    }

    /// The bug is fixed.
    pub(super) async fn accept(&self, position: Position) {
        self.run(&format!(
            "alter table timeline drop constraint bug_{position}"
        ))
        .await;
    }

    /// The sessions of its projectors, and whether each is the one at work.
    pub(super) async fn sessions(&self) -> Vec<(i32, bool)> {
        sqlx::query_as(
            "select a.pid, exists (select from pg_locks l where l.pid = a.pid \
                                   and l.locktype = 'advisory' and l.granted) \
             from pg_stat_activity a \
             where a.datname = current_database() and a.application_name = 'fido projector' \
             order by a.pid",
        )
        .fetch_all(&mut self.owner().await)
        .await
        .unwrap()
    }
}
