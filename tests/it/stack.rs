//! The embedded servers, for real: they start, keep their data, come back after a kill, and never outlive fido.

use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use async_nats::{ConnectError, ConnectErrorKind};
use fido::seeds::Seeds;
use fido::stack::{
    Durability, NatsServer, OWNER, PostgresCluster, Programs, Stack, StackError, StackOptions,
};
use fido_nats::access::{Role, Seed};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::ground::as_role;

#[tokio::test]
async fn a_stack_keeps_its_data_and_leaves_nothing_running() {
    let folder = folder();
    let first = start(folder.path()).await;
    first.postgres.ensure_database("fido_events").await.unwrap();
    write_note(&first, "kept").await;
    broker(&first.nats, Role::Api).await.unwrap();
    let seed = seed_of(&first.nats, Role::Api);
    first.stop().await.unwrap();
    assert_eq!(running_in(folder.path()), Vec::<String>::new());

    let second = start(folder.path()).await;
    second
        .postgres
        .ensure_database("fido_events")
        .await
        .unwrap();
    assert_eq!(read_note(&second).await, "kept");
    assert_eq!(seed_of(&second.nats, Role::Api), seed);
    second.stop().await.unwrap();
    assert_eq!(running_in(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_its_user_named() {
    let folder = folder();
    let stack = start(folder.path()).await;
    let refused = Stack::start(&options(folder.path())).await.unwrap_err();
    assert!(
        matches!(&refused, StackError::InUse { pid, .. } if *pid == std::process::id().to_string())
    );
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn servers_vanish_with_a_killed_fido_and_the_data_stays() {
    let folder = folder();
    // Twice: the second life starts while the guards of the first may still be at work.
    for life in ["first", "second"] {
        let mut fido = Command::new(std::env::current_exe().unwrap())
            .args([
                "stack::helper_a_process_to_kill",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut order = fido.stdin.take().unwrap();
        writeln!(order, "{}\n{life}", folder.path().display()).unwrap();
        let mut lines = BufReader::new(fido.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "serving"));
        assert!(running_in(folder.path()).len() >= 2);
        fido.kill().unwrap();
        fido.wait().unwrap();
        if life == "second" {
            nothing_runs_in(folder.path()).await;
        }
    }
    let stack = start(folder.path()).await;
    assert_eq!(read_note(&stack).await, "second");
    stack.stop().await.unwrap();
}

/// Started by the test above, which writes a folder and a note to its standard input.
#[tokio::test]
#[ignore = "runs only as the process that another test kills"]
async fn helper_a_process_to_kill() {
    let mut input = std::io::stdin().lines().map_while(Result::ok);
    let (Some(folder), Some(note)) = (input.next(), input.next()) else {
        return;
    };
    let stack = start(Path::new(&folder)).await;
    write_note(&stack, &note).await;
    writeln!(std::io::stdout(), "\nserving").unwrap();
    std::future::pending().await
}

#[tokio::test]
async fn killed_servers_come_back_at_the_same_urls() {
    let folder = folder();
    let mut stack = start(folder.path()).await;
    write_note(&stack, "survives").await;
    let nats_url = stack.nats_url();
    for pid in [stack.postgres.pid(), stack.nats.pid()] {
        kill(
            Pid::from_raw(pid.unwrap().cast_signed()),
            Some(Signal::SIGKILL),
        )
        .unwrap();
    }
    stack.postgres.restart().await.unwrap();
    stack.nats.restart().await.unwrap();
    assert_eq!(read_note(&stack).await, "survives");
    assert_eq!(stack.nats_url(), nats_url);
    broker(&stack.nats, Role::Relay).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_process_id_neither_hinders_the_start_nor_harms_a_stranger() {
    let folder = folder();
    let mut stack = start(folder.path()).await;
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    stack.postgres.kill().await.unwrap();
    stack.nats.kill().await.unwrap();
    let pid_file = stack.postgres.data_dir().join("postmaster.pid");
    let stale = std::fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = stale.split_once('\n').unwrap();
    std::fs::write(&pid_file, format!("{}\n{rest}", stranger.id())).unwrap();
    for server in ["postgres", "nats"] {
        let pid_file = folder.path().join(server).join("pid");
        std::fs::write(pid_file, stranger.id().to_string()).unwrap();
    }
    drop(stack);

    start(folder.path()).await.stop().await.unwrap();
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_temporary_server_takes_its_folder_with_it() {
    let programs = Programs::of_this_machine();
    let nats = NatsServer::temporary(&programs).await.unwrap();
    let postgres = PostgresCluster::temporary(&programs).await.unwrap();
    let folders = [nats.store_dir(), postgres.data_dir().to_owned()];
    postgres.stop().await.unwrap();
    drop(nats);
    for folder in folders {
        nothing_runs_in(&folder).await;
        eventually(|| !folder.parent().unwrap().exists()).await;
    }
}

#[tokio::test]
async fn the_broker_lets_in_its_roles_alone() {
    let nats = NatsServer::temporary(&Programs::of_this_machine())
        .await
        .unwrap();
    for role in Role::ALL {
        broker(&nats, role).await.unwrap();
    }
    let stranger = Seed::generate().unwrap().expose().to_owned();
    let stranger = async_nats::ConnectOptions::with_nkey(stranger);
    for anybody in [async_nats::ConnectOptions::new(), stranger] {
        let refused = anybody.connect(nats.url()).await.unwrap_err();
        assert_eq!(refused.kind(), ConnectErrorKind::AuthorizationViolation);
    }
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn an_older_nats_server_is_passed_over_and_alone_refused() {
    let old = fake_nats_server("v2.9.10");
    let new = fake_nats_server("v2.14.0");
    let path = |folder: &TempDir| folder.path().to_owned();
    let only_old = Programs::in_folders([path(&old)]);
    let refused = nats_refusal(&only_old).await;
    assert!(
        refused.contains("nats-server 2.9") && refused.contains("make setup"),
        "{refused}"
    );

    // The new one is found, and does not know how to be a server.
    let both = Programs::in_folders([path(&old), path(&new)]);
    let refused = nats_refusal(&both).await;
    assert!(refused.contains("before it was ready"), "{refused}");
}

#[tokio::test]
async fn a_missing_program_comes_with_the_command_that_installs_it() {
    let nothing = Programs::in_folders([]);
    let refused = nats_refusal(&nothing).await;
    assert!(
        refused.contains("nats-server is not installed"),
        "{refused}"
    );
    assert!(refused.contains("make setup"), "{refused}");
    let refused = PostgresCluster::temporary(&nothing)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("postgres is not installed"), "{refused}");
    assert!(refused.contains("make setup"), "{refused}");
}

#[tokio::test]
async fn root_keeps_a_cluster_elsewhere_when_its_folder_is_out_of_reach() {
    if !Uid::effective().is_root() {
        return;
    }
    let only_root = folder_with_mode(0o700);
    let dir = only_root.path().join("postgres");
    let programs = Programs::of_this_machine();
    let first = PostgresCluster::start(&dir, &programs, Durability::ProcessCrash)
        .await
        .unwrap();
    first.ensure_database("kept").await.unwrap();
    let elsewhere = first.data_dir().to_owned();
    assert!(!elsewhere.starts_with(only_root.path()));
    first.stop().await.unwrap();

    let second = PostgresCluster::start(&dir, &programs, Durability::ProcessCrash)
        .await
        .unwrap();
    assert_eq!(second.data_dir(), elsewhere);
    PgConnection::connect(&second.url("kept", OWNER))
        .await
        .unwrap();
    second.stop().await.unwrap();
    std::fs::remove_dir_all(elsewhere).unwrap();
}

/// Starts a stack in a task of its own, as its callers may.
async fn start(folder: &Path) -> Stack {
    let options = options(folder);
    let start = tokio::spawn(async move { Stack::start(&options).await });
    start.await.unwrap().unwrap()
}

fn options(folder: &Path) -> StackOptions {
    StackOptions {
        durability: Durability::ProcessCrash,
        ..StackOptions::new(folder)
    }
}

/// A folder that the user PostgreSQL runs as can pass through, as it could through a home folder.
fn folder() -> TempDir {
    folder_with_mode(0o711)
}

fn folder_with_mode(mode: u32) -> TempDir {
    let permissions = Permissions::from_mode(mode);
    let mut builder = tempfile::Builder::new();
    builder.permissions(permissions).tempdir().unwrap()
}

async fn write_note(stack: &Stack, note: &str) {
    let mut connection = PgConnection::connect(&stack.postgres_url("postgres", OWNER))
        .await
        .unwrap();
    let statement = "CREATE TABLE IF NOT EXISTS note (text text); TRUNCATE note";
    sqlx::raw_sql(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    let insert = sqlx::query("INSERT INTO note VALUES ($1)").bind(note);
    insert.execute(&mut connection).await.unwrap();
}

async fn read_note(stack: &Stack) -> String {
    let mut connection = PgConnection::connect(&stack.postgres_url("postgres", OWNER))
        .await
        .unwrap();
    sqlx::query_scalar("SELECT text FROM note")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

async fn broker(nats: &NatsServer, role: Role) -> Result<async_nats::Client, ConnectError> {
    as_role(nats, role).connect(nats.url()).await
}

fn seed_of(nats: &NatsServer, role: Role) -> Seed {
    Seeds::in_folder(nats.seeds_dir()).of(role).unwrap()
}

/// The command lines of all processes that name this folder.
fn running_in(folder: &Path) -> Vec<String> {
    let folder = folder
        .canonicalize()
        .unwrap_or(folder.to_owned())
        .display()
        .to_string();
    let listed = if Path::new("/proc/self").exists() {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let lines =
            processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
        lines
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .collect()
    } else {
        let listed = Command::new("ps")
            .args(["-axww", "-o", "command="])
            .output()
            .unwrap()
            .stdout;
        String::from_utf8_lossy(&listed)
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    listed
        .into_iter()
        .filter(|line| line.contains(&folder))
        .collect()
}

async fn nothing_runs_in(folder: &Path) {
    eventually(|| running_in(folder).is_empty()).await;
}

async fn eventually(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "did not come true within 30 s");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn nats_refusal(programs: &Programs) -> String {
    NatsServer::temporary(programs)
        .await
        .unwrap_err()
        .to_string()
}

fn fake_nats_server(version: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program: PathBuf = folder.path().join("nats-server");
    std::fs::write(
        &program,
        format!("#!/bin/sh\necho 'nats-server: {version}'\n"),
    )
    .unwrap();
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    folder
}
