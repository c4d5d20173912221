//! An operator lets a replica stay as it is.

use super::scene::{Replica, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_replica_stays_until_it_is_resumed() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let (replica, other) = (
        Replica::on_the_shared_cluster().await,
        Replica::on_the_shared_cluster().await,
    );
    let process = scene.process(&replica);
    let _other = scene.project(&other).await;
    let people = history.live(5, 2).await;
    replica.reaches(scene.head().await).await;

    // In the middle of the work.
    let load = tokio::spawn({
        let history = history.clone();
        async move { history.live(20, 5).await }
    });
    let pause = ["replica", "pause", "--reason", "a look at it"];
    let output = scene.fido(&replica, &pause).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let stays = replica.position().await;
    assert!(
        said.contains(&format!("stays at position {stays} ")),
        "{said}"
    );
    load.await.unwrap();
    other.reaches(scene.head().await).await;
    process.says("the projector pauses until").await;
    assert_eq!(replica.position().await, stays);
    scene
        .announces(&replica, |state| state.paused && state.position == stays)
        .await;
    let paused = replica.condition().await.paused.unwrap();
    assert_eq!(paused.reason.as_deref(), Some("a look at it"));

    // Nor does another projector move it.
    process.kill().await;
    let process = scene.process(&replica);
    process.says("the projector pauses until").await;
    history.write(people[0], 99).await;
    other.reaches(scene.head().await).await;
    assert_eq!(replica.position().await, stays);

    let output = scene
        .fido(&replica, &["replica", "resume"])
        .output()
        .await
        .unwrap();
    assert!(output.status.success());
    scene.announces(&replica, |state| !state.paused).await;
    scene.is_a_replay(&replica).await;
    assert!(replica.condition().await.is_good());
}
