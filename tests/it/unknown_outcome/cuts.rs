//! A connection is cut around one call, around all tries of it, around a whole batch.

use fido_commands::conversation::ConversationCommand;
use fido_commands::{Claim, CommandContext, ExecuteError, Receipt, ambient};
use fido_domain::Actor;
use fido_domain::conversation::{Conversation, ConversationEvent, MessageText};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Process, begin, begin_with, is_dense, is_there_once};
use crate::cut::{self, Fault};
use crate::event_store::Database;

/// Every way in which a connection ends around a call. The last is delivered when all is over.
const CUTS: [Fault; 7] = [
    Fault::Before,
    Fault::Uncommitted,
    Fault::During,
    Fault::After,
    Fault::Late { answers: 0 },
    Fault::Late { answers: 1 },
    NEVER_IN_TIME,
];
const NEVER_IN_TIME: Fault = Fault::Late { answers: u32::MAX };

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_line_is_cut_is_done_once() {
    let process = Process::on_the_shared_cluster().await;
    for fault in CUTS {
        process.proxy.arm(0, fault);
        let id = ambient::new_id();
        let committed = begin(&process.store, id).await.unwrap();
        let log = process.log().await;
        assert_eq!(process.proxy.disarm(), [fault]);
        is_there_once(&log, id, &committed);
        is_dense(&log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_every_other_try_is_cut_is_done_once() {
    let process = Process::on_the_shared_cluster().await;
    let cuts = [
        NEVER_IN_TIME,
        Fault::Uncommitted,
        Fault::During,
        Fault::After,
    ];
    for cut in cuts {
        process.proxy.arm(0, cut);
    }
    let id = ambient::new_id();
    let committed = begin(&process.store, id).await.unwrap();
    let log = process.log().await;
    is_there_once(&log, id, &committed);
    is_dense(&log);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_given_together_are_each_done_once_when_their_line_is_cut() {
    let process = Process::on_the_shared_cluster().await;
    for fault in CUTS {
        // What is given while one is at the line waits, and is sent together.
        let held = process.hold_one().await;
        process.proxy.arm(0, fault);
        let mut commands = process.begin_many();
        process.proxy.release();
        let mut answers = vec![held.await.unwrap()];
        while let Some(answer) = commands.join_next().await {
            answers.push(answer.unwrap());
        }
        let log = process.log().await;
        assert_eq!(process.proxy.disarm(), [Fault::Hold, fault]);
        for (id, answer) in answers {
            is_there_once(&log, id, &answer.unwrap());
        }
        is_dense(&log);
    }
}

/// The nastiest case: the second try is refused, the reason goes away, and only then the first try
/// reaches the server. The refusal stands.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_done_by_a_first_try_that_arrives_late() {
    let database = Database::on_the_shared_cluster().await;
    let holder = Process::start(&database);
    let other = Process::start(&database);
    let claim = |take| Claim {
        kind: "name".to_owned(),
        hash: vec![7],
        take,
    };
    let (holds, wants) = (ambient::new_id(), ambient::new_id());
    let taking = |context: &mut CommandContext| context.claims.push(claim(true));
    let taken = begin_with(&holder.store, holds, taking).await.unwrap();

    other.proxy.arm(0, NEVER_IN_TIME);
    let refused = begin_with(&other.store, wants, taking).await;
    assert!(matches!(refused, Err(ExecuteError::ClaimTaken { .. })));

    let ConversationEvent::ConversationStarted { account_id, .. } = taken.events[0].0 else {
        panic!("{taken:?}")
    };
    let owner = account_id;
    let mut context = CommandContext::new(Actor::user(owner), owner);
    context.claims.push(claim(false));
    let post = ConversationCommand::PostMessage {
        account_id: owner,
        message_id: ambient::new_id(),
        reply_id: ambient::new_id(),
        text: MessageText::parse("Goodbye").unwrap(),
    };
    let given_back = holder.store.execute::<Conversation>(holds, post, &context);
    given_back.await.unwrap();

    let log = other.log().await;
    assert_eq!(other.proxy.disarm(), [NEVER_IN_TIME]);
    let done = log.iter().filter(|event| event.aggregate_id == wants);
    assert_eq!(done.count(), 0, "refused, and in the log");
    let claims: i64 = sqlx::query_scalar("select count(*) from claims")
        .fetch_one(&other.past)
        .await
        .unwrap();
    assert_eq!(claims, 0);
}

/// What is written down of a request of `account_id`.
fn receipt(account_id: Uuid) -> Receipt {
    Receipt {
        account_id,
        key_hash: ambient::new_id().as_bytes().to_vec(),
        request_hash: vec![7],
        status: 201,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_key_is_done_once_however_often_and_wherever_it_is_sent() {
    let database = Database::on_the_shared_cluster().await;
    let processes = [Process::start(&database), Process::start(&database)];
    for (fault, before) in CUTS.into_iter().zip(0..) {
        let receipt = receipt(ambient::new_id());
        let mut requests = JoinSet::new();
        for process in &processes {
            process.proxy.arm(0, fault);
            for _ in 0..3 {
                let (store, receipt) = (process.store.clone(), receipt.clone());
                requests.spawn(async move {
                    // As when the id of what is begun is made anew for each request.
                    let id = ambient::new_id();
                    let with_key = |context: &mut CommandContext| context.receipt = Some(receipt);
                    begin_with(&store, id, with_key).await.unwrap()
                });
            }
        }
        let answers = requests.join_all().await;
        for process in &processes {
            cut::settle([&process.proxy], &process.past).await;
            process.proxy.disarm();
        }
        let log = processes[0].log().await;
        assert_eq!(log.len(), before + 1, "{fault:?}");
        for answer in &answers {
            is_there_once(&log, log[before].aggregate_id, answer);
        }
    }
}
