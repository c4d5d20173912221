//! Queries that run all the time, through a pool whose statements were prepared long ago, and an API.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fido_commands::CommandContext;
use fido_commands::ambient;
use fido_commands::conversation::ConversationCommand;
use fido_domain::Actor;
use fido_domain::conversation::{Conversation, Copilot};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::{TestApp, TestUser};
use crate::replica_scene::{Replica, note, pool};

/// Readers, and one writer so that the replica moves.
pub(super) struct Readers {
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
    reads: Arc<AtomicU64>,
    longest: Arc<AtomicU64>,
}

impl Readers {
    pub(super) async fn start(app: &TestApp, user: &TestUser, replica: &Replica) -> Self {
        let mut readers = Self {
            tasks: JoinSet::new(),
            shutdown: CancellationToken::new(),
            reads: Arc::default(),
            longest: Arc::default(),
        };
        let pool = pool(replica).await;
        for _ in 0..2 {
            let (pool, account) = (pool.clone(), user.account_id);
            readers.again_and_again(move || whole(pool.clone(), account));
        }
        let (http, token) = (app.http.clone(), user.token.clone());
        let url = app.url("/v1/conversations");
        readers.again_and_again(move || {
            let request = http.get(&url).bearer_auth(&token);
            async move { assert_eq!(request.send().await.unwrap().status(), 200) }
        });
        let (store, account_id) = (app.ground.store().await, user.account_id);
        let shutdown = readers.shutdown.clone();
        readers.tasks.spawn(async move {
            while !shutdown.is_cancelled() {
                let start = ConversationCommand::StartConversation {
                    account_id,
                    copilot: Copilot::GrowthEngine,
                    goal: None,
                    plan_id: None,
                };
                let context = CommandContext::new(Actor::user(account_id), account_id);
                store
                    .execute::<Conversation>(ambient::new_id(), start, &context)
                    .await
                    .unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        readers
    }

    fn again_and_again<F>(&mut self, read: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let shutdown = self.shutdown.clone();
        let (reads, longest) = (self.reads.clone(), self.longest.clone());
        self.tasks.spawn(async move {
            while !shutdown.is_cancelled() {
                let begun = Instant::now();
                read().await;
                let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
                longest.fetch_max(took, Ordering::Relaxed);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    /// Ends them; none may have failed. Answers with how many reads there were.
    pub(super) async fn stop(mut self) -> u64 {
        self.shutdown.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let longest = Duration::from_micros(self.longest.load(Ordering::Relaxed));
        note(&format!("the longest read took {longest:?}"));
        self.reads.load(Ordering::Relaxed)
    }
}

/// What is read in one transaction belongs to one position, also while schemas are switched: a
/// replica's timeline has one row for each event.
async fn whole(pool: PgPool, account: Uuid) {
    let mut transaction = pool
        .begin_with("begin isolation level repeatable read read only")
        .await
        .unwrap();
    let position: i64 = sqlx::query_scalar("select position from checkpoint")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    let last: i64 = sqlx::query_scalar("select max(position) from timeline where account_id = $1")
        .bind(account)
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    let (count, highest): (i64, i64) =
        sqlx::query_as("select count(*), max(position) from timeline")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
    let conversations: i64 =
        sqlx::query_scalar("select max(sequence) from conversations where account_id = $1")
            .bind(account)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        (count, highest),
        (position, position),
        "rows and checkpoint belong together"
    );
    assert!(last <= position && conversations > 0);
}
