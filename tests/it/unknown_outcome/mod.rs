//! The line goes dead while a command is at the server: whatever the server made of it, the caller is
//! told the truth, and the command is in the log once.

mod batches;
mod cuts;
mod fences;
mod outages;

use fido_commands::conversation::{ConversationCommand, ConversationRefusal};
use fido_commands::log::Log;
use fido_commands::{CommandContext, Committed, EventStore, ExecuteError, Placed, ambient};
use fido_domain::conversation::{Conversation, ConversationEvent, Copilot};
use fido_domain::{Actor, Position, Recorded};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cut::{self, Fault, Proxy};
use crate::event_store::Database;

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
