//! The line goes dead while a command is at the server: whatever the server made of it, the caller is
//! told the truth, and the command is in the log once.

use fido_commands::conversation::{ConversationCommand, ConversationRefusal};
use fido_commands::log::Log;
use fido_commands::{
    Claim, CommandContext, Committed, EventStore, ExecuteError, Placed, Receipt, ambient,
};
use fido_domain::conversation::{Conversation, ConversationEvent, Copilot, MessageText};
use fido_domain::{Actor, Position, Recorded};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::app::new_cluster;
use crate::cut::{self, Fault, PATIENCE, Proxy};
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
/// Commands at once.
const MANY: usize = 40;

type Answer = Result<Committed<ConversationEvent>, ExecuteError<ConversationRefusal>>;

/// A process and its line.
struct Process {
    store: EventStore,
    proxy: Proxy,
    /// Past the proxy, as the owner.
    past: PgPool,
}

impl Process {
    fn start(database: &Database) -> Self {
        let proxy = Proxy::start(&database.app);
        Self {
            store: database.open(proxy.options()),
            proxy,
            past: PgPoolOptions::new()
                .max_connections(1)
                .connect_lazy_with(database.owner.clone()),
        }
    }

    async fn on_the_shared_cluster() -> Self {
        Self::start(&Database::on_the_shared_cluster().await)
    }

    /// Everything in the log, once nothing that was sent can still change it.
    async fn log(&self) -> Vec<Recorded> {
        cut::settle([&self.proxy], &self.past).await;
        let log = Log::new(self.past.clone());
        log.after(0, i64::MAX).await.unwrap()
    }

    /// Begins many conversations at once.
    fn begin_many(&self) -> JoinSet<(Uuid, Answer)> {
        let mut commands = JoinSet::new();
        for _ in 0..MANY {
            let (store, id) = (self.store.clone(), ambient::new_id());
            commands.spawn(async move { (id, begin(&store, id).await) });
        }
        commands
    }

    /// One command is at the line and does not get on, until the line is let go.
    async fn hold_one(&self) -> tokio::task::JoinHandle<(Uuid, Answer)> {
        let calls = self.proxy.arrived();
        self.proxy.arm(0, Fault::Hold);
        let (store, id) = (self.store.clone(), ambient::new_id());
        let held = tokio::spawn(async move { (id, begin(&store, id).await) });
        self.proxy.until_arrived(calls + 1).await;
        held
    }
}

async fn begin(store: &EventStore, id: Uuid) -> Answer {
    begin_with(store, id, |_| {}).await
}

/// Begins the conversation `id`, with something special about it.
async fn begin_with(
    store: &EventStore,
    id: Uuid,
    special: impl FnOnce(&mut CommandContext),
) -> Answer {
    let account_id = ambient::new_id();
    let command = ConversationCommand::StartConversation {
        account_id,
        copilot: Copilot::GrowthEngine,
        goal: None,
        plan_id: None,
    };
    let mut context = CommandContext::new(Actor::user(account_id), account_id);
    special(&mut context);
    store.execute::<Conversation>(id, command, &context).await
}

/// The events of the stream `id` are those that were acknowledged, where they were said to be.
fn is_there_once(log: &[Recorded], id: Uuid, committed: &Committed<ConversationEvent>) {
    let told: Vec<_> = committed.events.iter().map(|(_, placed)| *placed).collect();
    let stored = log.iter().filter(|event| event.aggregate_id == id);
    let stored: Vec<_> = stored.map(Placed::of).collect();
    assert_eq!(stored, told);
    assert_eq!(committed.position, stored.last().unwrap().position);
}

fn is_dense(log: &[Recorded]) {
    let positions: Vec<Position> = log.iter().map(|event| event.position).collect();
    assert!(
        (1..).zip(&positions).all(|(n, at)| n == *at),
        "{positions:?}"
    );
}

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
async fn a_command_that_the_database_refuses_fails_alone() {
    let process = Process::on_the_shared_cluster().await;
    sqlx::raw_sql(
        "create function refuse_poison() returns trigger language plpgsql as $$ \
         begin \
             if new.metadata ->> 'request_id' = 'poison' then \
                 raise exception 'poison' using errcode = 'check_violation'; \
             end if; \
             return new; \
         end $$; \
         create trigger refuse_poison before insert on events \
         for each row execute function refuse_poison()",
    )
    .execute(&process.past)
    .await
    .unwrap();

    let held = process.hold_one().await;
    let mut commands = process.begin_many();
    let (store, poisoned) = (process.store.clone(), ambient::new_id());
    let poison = tokio::spawn(async move {
        begin_with(&store, poisoned, |context| {
            context.request_id = Some("poison".to_owned());
        })
        .await
    });
    commands.spawn(async { held.await.unwrap() });
    let more = process.begin_many();
    process.proxy.release();

    let mut answers = commands.join_all().await;
    answers.extend(more.join_all().await);
    let log = process.log().await;
    assert_eq!(log.len(), 2 * MANY + 1);
    for (id, answer) in answers {
        is_there_once(&log, id, &answer.unwrap());
    }
    is_dense(&log);
    match poison.await.unwrap() {
        Ok(_) => panic!("done, although the database refuses it"),
        Err(ExecuteError::Refused(_) | ExecuteError::ClaimTaken { .. }) => {
            panic!("refused for a reason that does not exist")
        }
        Err(_) => {}
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_walks_away_leaves_nothing_undone_for_others() {
    let process = Process::on_the_shared_cluster().await;
    let impatient = process.hold_one().await;
    let mut commands = process.begin_many();
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    process.proxy.release();
    let mut told = 0;
    let mut answers = Vec::new();
    while let Some(answer) = commands.join_next().await {
        answers.push(answer.unwrap());
    }
    let log = process.log().await;
    for (id, answer) in answers {
        is_there_once(&log, id, &answer.unwrap());
        told += 1;
    }
    assert!(log.len() - told <= 1, "{} events", log.len());
    is_dense(&log);
}
