//! Projectors and their servers die in the middle of their work.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::scene::{Replica, Scene};
use crate::ground::new_cluster;

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_replica_is_filled_and_goes_on_live() {
    let scene = Scene::begin().await;
    let history = scene.history();
    // More than one page before there is a projector, and more while it catches up.
    history.live(60, 5).await;
    let replica = Replica::on_the_shared_cluster().await;
    let _projecting = scene.project(&replica).await;
    history.live(20, 5).await;
    scene.is_a_replay(&replica).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_under_load_it_loses_and_repeats_nothing() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let replica = Replica::on_the_shared_cluster().await;
    let end = CancellationToken::new();
    let load = history.go_on(end.clone());
    for _ in 0..6 {
        let process = scene.process(&replica);
        // It has written something, and is at the next.
        let before = replica.position().await;
        replica.reaches(before + 50).await;
        process.kill().await;
    }
    let _process = scene.process(&replica);
    end.cancel();
    load.await.unwrap();
    scene.is_a_replay(&replica).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replicas_server_may_die_and_come_back() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let mut cluster = new_cluster().await;
    let replica = Replica::new(&cluster).await;
    let _projecting = scene.project(&replica).await;
    let end = CancellationToken::new();
    let load = history.go_on(end.clone());
    for _ in 0..3 {
        let before = replica.position().await;
        replica.reaches(before + 50).await;
        cluster.kill().await.unwrap();
        // For as long as it takes to notice.
        tokio::time::sleep(Duration::from_millis(300)).await;
        cluster.restart().await.unwrap();
    }
    end.cancel();
    load.await.unwrap();
    scene.is_a_replay(&replica).await;
}
