//! The server is killed, or cannot be reached for seconds.

use fido_commands::{ExecuteError, ambient};

use super::{Process, begin, is_dense, is_there_once};
use crate::cut::{Fault, PATIENCE};
use crate::event_store::Database;
use crate::ground::new_cluster;

#[tokio::test(flavor = "multi_thread")]
async fn commands_in_flight_while_the_server_is_killed_are_done_once() {
    let mut server = new_cluster().await;
    let process = Process::start(&Database::create(&server).await);

    // Killed before the call arrives, and right after it was sent.
    for fault in [Fault::Hold, Fault::During, Fault::After] {
        let calls = process.proxy.arrived();
        process.proxy.arm(0, fault);
        let (store, id) = (process.store.clone(), ambient::new_id());
        let command = tokio::spawn(async move { begin(&store, id).await });
        process.proxy.until_arrived(calls + 1).await;
        server.restart().await.unwrap();
        process.proxy.release();
        let committed = command.await.unwrap().unwrap();
        is_there_once(&process.log().await, id, &committed);
    }

    // Killed somewhere in the middle of many: those that were not sent yet may be refused.
    let calls = process.proxy.arrived();
    let mut commands = process.begin_many();
    process.proxy.until_arrived(calls + 1).await;
    server.restart().await.unwrap();
    let mut answers = Vec::new();
    while let Some(answer) = commands.join_next().await {
        answers.push(answer.unwrap());
    }
    let after = ambient::new_id();
    answers.push((after, begin(&process.store, after).await));
    assert!(answers.last().unwrap().1.is_ok(), "it goes on");
    let log = process.log().await;
    for (id, answer) in answers {
        let stored = log.iter().filter(|event| event.aggregate_id == id).count();
        match answer {
            Ok(committed) => is_there_once(&log, id, &committed),
            Err(ExecuteError::Unavailable(_)) => assert_eq!(stored, 0),
            Err(other) => panic!("{other}"),
        }
    }
    is_dense(&log);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_line_is_down_only_what_was_sent_is_waited_for() {
    let process = Process::on_the_shared_cluster().await;
    let sent = process.hold_one().await;
    process.proxy.down();

    // Nothing of these can have reached the server, so they are told so.
    let answers = tokio::time::timeout(PATIENCE, process.begin_many().join_all());
    let answers = answers.await.expect("an answer while the line is down");
    for (_, answer) in &answers {
        assert!(
            matches!(answer, Err(ExecuteError::Unavailable(_))),
            "{answer:?}"
        );
    }
    // This one may have, for all that its sender can know.
    assert!(!sent.is_finished(), "{:?}", sent.await);

    process.proxy.up();
    let (id, answer) = tokio::time::timeout(PATIENCE, sent)
        .await
        .expect("an answer once the line is up")
        .unwrap();
    let log = process.log().await;
    is_there_once(&log, id, &answer.unwrap());
    assert_eq!(log.len(), 1, "what was refused is not done later");
}
