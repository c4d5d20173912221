//! Several projectors of one replica: one is at work, the others stand by.

use nix::sys::signal::Signal;

use super::scene::{Replica, Scene};
use crate::until::until;

/// The pid of the session at work, and how many stand by.
async fn at_work(replica: &Replica) -> (Option<i32>, usize) {
    let sessions = replica.sessions().await;
    let working: Vec<i32> = sessions
        .iter()
        .filter_map(|&(pid, working)| working.then_some(pid))
        .collect();
    assert!(working.len() <= 1, "{sessions:?}");
    (working.first().copied(), sessions.len() - working.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_at_work_and_another_takes_over_when_it_dies() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let replica = Replica::on_the_shared_cluster().await;
    let first = scene.project(&replica).await;
    history.live(5, 2).await;
    replica.reaches(scene.head().await).await;
    let second = scene.project(&replica).await;
    until("the second stands by", async || {
        matches!(at_work(&replica).await, (Some(_), 1))
    })
    .await;

    // While the first does its work, nobody takes it away, and the sessions stay the same.
    let sessions = replica.sessions().await;
    history.live(20, 5).await;
    replica.reaches(scene.head().await).await;
    assert_eq!(replica.sessions().await, sessions);

    first.kill().await;
    history.live(10, 5).await;
    replica.reaches(scene.head().await).await;
    let (worker, waiting) = at_work(&replica).await;
    assert_ne!(
        worker,
        sessions
            .iter()
            .find(|(_, working)| *working)
            .map(|(pid, _)| *pid)
    );
    assert_eq!(waiting, 0);
    scene.is_a_replay(&replica).await;
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stands_still_is_dismissed_and_writes_nothing_when_it_wakes() {
    let scene = Scene::begin().await;
    let history = scene.history();
    let replica = Replica::on_the_shared_cluster().await;
    let asleep = scene.process(&replica);
    history.live(5, 2).await;
    replica.reaches(scene.head().await).await;
    let awake = scene.process(&replica);
    awake.says("another projector is at work").await;
    let (before, _) = at_work(&replica).await;

    asleep.signal(Signal::SIGSTOP);
    // The sleeper's requests for events are still with the broker, and take some of these.
    history.live(20, 5).await;
    replica.reaches(scene.head().await).await;
    assert!(awake.has_said("has not been heard of"));
    let (after, _) = at_work(&replica).await;
    assert_ne!(after, before);

    asleep.signal(Signal::SIGCONT);
    asleep.says("another projector is at work").await;
    history.live(10, 5).await;
    scene.is_a_replay(&replica).await;
    assert_eq!(at_work(&replica).await, (after, 1), "nobody was disturbed");
}
