//! A physical standby of a replica is a replica to read from, without a projector of its own.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Output;

use fido::config::ReplicaAddress;
use fido::stack::{Durability, OWNER, PostgresCluster, Programs};
use nix::unistd::Uid;
use sqlx::postgres::PgConnectOptions;
use tokio::process::Command;

use super::{Reader, caught_up, head, told};
use crate::app::TestApp;
use crate::ground::{Ground, new_cluster};
use crate::until::until;

/// A hot standby of `primary` in `folder`, streaming from it.
async fn standby_of(primary: &PostgresCluster, folder: &Path) -> PostgresCluster {
    // The server's user has to get through.
    std::fs::set_permissions(folder, Permissions::from_mode(0o711)).unwrap();
    let options: PgConnectOptions = primary.url("postgres", OWNER).parse().unwrap();
    let mut command = Command::new(primary.program("pg_basebackup"));
    command
        .arg("--pgdata")
        .arg(folder.join("cluster"))
        .arg("--host")
        .arg(options.get_socket().unwrap())
        .args(["--username", OWNER, "--write-recovery-conf", "--no-sync"])
        .args(["--checkpoint=fast", "--wal-method=stream"]);
    if Uid::effective().is_root() {
        let owner = std::fs::metadata(primary.data_dir()).unwrap();
        std::os::unix::fs::chown(folder, Some(owner.uid()), Some(owner.gid())).unwrap();
        command.uid(owner.uid()).gid(owner.gid());
    }
    let Output { status, stderr, .. } = command.output().await.unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let programs = Programs::of_this_machine();
    PostgresCluster::start(folder, &programs, Durability::ProcessCrash)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_physical_standby_answers_like_a_replica_and_alone_when_its_primary_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut primary = new_cluster().await;
    let mut ground = Ground::with_replicas_in(&[&primary]).await;
    let standby = standby_of(&primary, folder.path()).await;
    let replica: PgConnectOptions = ground.addresses.replicas[0].url.parse().unwrap();
    let database = replica.get_database().unwrap();
    let url = standby.url(database, "fido_app");
    let name = "standby1".to_owned();
    ground.addresses.replicas.push(ReplicaAddress { name, url });
    let app = TestApp::start_on(ground).await;
    // It can be read, and not written: a projector has no business there.
    app.stop_projecting("standby1").await;
    let ada = app.register("ada").await;
    let mut reader = Reader::begin(&app.ground).await;
    // Each write is seen at once, whoever answers, and the standby does its part.
    until("the standby shares the work", async || {
        let id = app.start_conversation(&ada).await;
        let position = head(&app).await;
        let seen = reader.has(ada.account_id, id, Some(position)).await;
        let (shown, is_there) = seen.unwrap();
        assert!(shown >= position && is_there);
        // Also a moment later, when both are as far.
        reader.has(ada.account_id, id, None).await.unwrap();
        reader
            .answers
            .get("standby1")
            .is_some_and(|count| *count >= 20)
    })
    .await;
    caught_up(&app, &["replica1", "standby1"]).await;
    let status = told(&app.ground, &["status", "--json"]).await;
    assert_eq!(status["replicas"][0]["standby"], false, "{status}");
    assert_eq!(status["replicas"][1]["standby"], true, "{status}");
    assert_eq!(status["replicas"][1]["health"], "green", "{status}");
    assert_eq!(status["replicas"][1]["lag"], 0, "{status}");

    primary.kill().await.unwrap();
    let position = head(&app).await;
    for _ in 0..20 {
        app.get(&ada, "/v1/conversations", position).await;
    }
    let before = reader.answers["standby1"];
    for _ in 0..20 {
        reader.anybody().await.unwrap();
    }
    assert_eq!(reader.answers["standby1"], before + 20);
    standby.stop().await.unwrap();
}
