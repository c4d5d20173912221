//! A log with a backup, and what happens when the backup is all that is left.

use std::process::{Output, Stdio};
use std::str::FromStr;

use async_nats::jetstream::stream::Info;
use fido::stack::OWNER;
use fido_api::ApiConfig;
use fido_commands::log::Log;
use fido_domain::Position;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::{TestApp, TestUser, UNPACED};
use crate::ground::cluster;
use crate::sse::Sse;
use crate::until::{PATIENCE, until};

/// How many events are lost.
const LOST: i64 = 50;

/// Fido, somebody who uses it, and a backup.
pub(super) struct Scene {
    pub(super) app: TestApp,
    pub(super) ada: TestUser,
    pub(super) backup: Backup,
}

/// The event store as it was once.
pub(super) struct Backup {
    folder: tempfile::TempDir,
    /// The last position in it.
    pub(super) kept: Position,
    /// A conversation in which nothing was said yet.
    pub(super) silent: Uuid,
    /// One with a question that nobody has answered yet.
    pub(super) open: Uuid,
}

/// What is gone.
pub(super) struct Lost {
    /// The last position that was seen.
    pub(super) seen: Position,
    /// A client that has seen everything.
    pub(super) watching: Sse,
}

impl Scene {
    /// A little history, a backup of it, and then co-pilots.
    pub(super) async fn begin() -> Self {
        let app = TestApp::start_quiet().await;
        let ada = app.register("ada").await;
        let (silent, open) = (
            app.start_conversation(&ada).await,
            app.start_conversation(&ada).await,
        );
        let path = format!("/v1/conversations/{open}/messages");
        app.post(&ada, &path, json!({"text": "Is anybody there?"}), 202)
            .await;
        let backup = Backup {
            folder: tempfile::tempdir().unwrap(),
            kept: head(&app).await,
            silent,
            open,
        };
        let scene = Self { app, ada, backup };
        caught_up(&scene.app).await;
        let file = scene.backup.file();
        let source = &scene.app.ground.events_owner_url;
        run("pg_dump", &["--format=custom", "--file", &file, source]).await;
        scene.app.start_copilots(UNPACED).await;
        scene
    }

    /// Much happens, everybody sees it, and then the backup is all that is left.
    pub(super) async fn lose_the_tail(&self) -> Lost {
        let before = head(&self.app).await;
        let mut watching = self.come_back(before).await;
        while head(&self.app).await < before + LOST {
            self.app.start_conversation(&self.ada).await;
        }
        self.answered().await;
        let seen = caught_up(&self.app).await;
        while watching.next().await.id != Some(seen) {}
        self.restore().await;
        assert_eq!(head(&self.app).await, self.backup.kept);
        Lost { seen, watching }
    }

    /// Where the answer to the open question stands in the log, once somebody has given it.
    pub(super) async fn answered(&self) -> Position {
        let events = PgPool::connect(&self.app.ground.addresses.events_url).await;
        let log = Log::new(events.unwrap());
        let mut answered = None;
        until("the question is answered", async || {
            let stream = log.stream("conversation", self.backup.open).await.unwrap();
            let last = stream
                .last()
                .filter(|last| last.event_type == "reply_completed");
            answered = last.map(|last| last.position);
            answered.is_some()
        })
        .await;
        answered.unwrap()
    }

    /// In place, as an operator would.
    async fn restore(&self) {
        let target = &self.app.ground.events_owner_url;
        let options = PgConnectOptions::from_str(target).unwrap();
        let name = options.get_database().unwrap();
        let server = cluster().await.url("postgres", OWNER);
        let mut server = PgConnection::connect(&server).await.unwrap();
        for statement in [
            format!("drop database {name} with (force)"),
            format!("create database {name}"),
        ] {
            sqlx::raw_sql(&statement)
                .execute(&mut server)
                .await
                .unwrap();
        }
        let file = self.backup.file();
        run(
            "pg_restore",
            &["--exit-on-error", "--dbname", target, &file],
        )
        .await;
    }

    /// The stream of somebody who has seen everything up to `seen`, once it can be had.
    pub(super) async fn come_back(&self, seen: Position) -> Sse {
        let url = self.app.url("/v1/stream");
        until("the log's end is followed", async || {
            let asked = self.app.http.get(&url).bearer_auth(&self.ada.token);
            asked.send().await.unwrap().status() == 200
        })
        .await;
        Sse::open(&self.app.http, url, &self.ada.token, Some(seen)).await
    }

    /// An API that has just begun; where it listens.
    pub(super) async fn another_process(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (system, vault) = (
            self.app.ground.system().await,
            self.app.ground.vault().await,
        );
        let forever = CancellationToken::new();
        tokio::spawn(system.serve(listener, vault, None, ApiConfig::default(), forever));
        base
    }

    /// What the binary answers on stdout; it must succeed.
    pub(super) async fn fido(&self, arguments: &[&str]) -> Value {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(arguments).output().await.unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{arguments:?}: {stderr}");
        serde_json::from_slice(&stdout).unwrap()
    }

    /// Runs a role until it logs `words`.
    pub(super) async fn says(&self, arguments: &[&str], words: &str) {
        let mut command = self.command(arguments);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listen = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains(words) {
                    return;
                }
            }
            panic!("{arguments:?} ended without {words}");
        };
        let said = tokio::time::timeout(PATIENCE, listen).await;
        assert!(said.is_ok(), "{arguments:?} never said {words}");
        process.kill().await.unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.app.ground.command(arguments)
    }
}

impl Backup {
    fn file(&self) -> String {
        let file = self.folder.path().join("events.dump");
        file.to_str().unwrap().to_owned()
    }
}

/// The head of the log.
pub(super) async fn head(app: &TestApp) -> Position {
    let pool = PgPool::connect(&app.ground.addresses.events_url).await;
    Log::new(pool.unwrap()).head().await.unwrap()
}

/// The head of the log, once the stream and the replica have come as far.
pub(super) async fn caught_up(app: &TestApp) -> Position {
    let replicas = app.ground.system().await.replicas();
    let mut reached = 0;
    until("stream and replica are at the head", async || {
        reached = head(app).await;
        let carried = stream(app).await.map(|stream| stream.state.last_sequence);
        carried == u64::try_from(reached).ok() && replicas.position().await.unwrap() == reached
    })
    .await;
    reached
}

/// All positions in the log, in order.
pub(super) async fn positions_in_the_log(app: &TestApp) -> Vec<Position> {
    positions(&app.ground.addresses.events_url, "events").await
}

/// All positions that the replica shows, in order.
pub(super) async fn positions_in_the_timeline(app: &TestApp) -> Vec<Position> {
    positions(&app.ground.addresses.replicas[0].url, "fido.timeline").await
}

async fn positions(url: &str, table: &str) -> Vec<Position> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(&format!("select position from {table} order by position"))
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

/// The event stream, while there is one.
pub(super) async fn stream(app: &TestApp) -> Option<Info> {
    let broker = app.ground.jetstream().await;
    let stream = broker.get_stream("FIDO_EVENTS").await.ok()?;
    Some(stream.cached_info().clone())
}

/// Runs one of PostgreSQL's own programs.
async fn run(program: &str, arguments: &[&str]) {
    let program = cluster().await.program(program);
    let output = Command::new(&program).args(arguments).output().await;
    let Output { status, stderr, .. } = output.unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{}: {stderr}", program.display());
}
