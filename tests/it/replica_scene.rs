//! Replicas of one log, filled, flipped and brought to one position.

use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use fido::stack::OWNER;
use fido_commands::conversation::ConversationCommand;
use fido_commands::log::Log;
use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, ambient};
use fido_domain::conversation::{Conversation, MessageText, Usage};
use fido_domain::plan::{FactKey, FactValue, Plan, PlanTitle, Section, SectionText, Source};
use fido_domain::{Actor, Position};
use fido_projections::projector::Projector;
use fido_projections::rebuild::Progress;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::{TestApp, TestUser};
use crate::ground::{Ground, REPLICA, TEMPLATE_REPLICA, cluster, new_database};
use crate::until::{PATIENCE, within};

/// A figure for whoever reads along; it decides nothing.
pub(crate) fn note(line: &str) {
    // Whoever reads may have gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Nobody listens.
pub(crate) fn untold(_: Progress) {}

/// The log of a ground.
pub(crate) async fn log(ground: &Ground) -> Log {
    Log::new(ground.pool().await)
}

/// A replica of a ground's log.
#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) url: String,
}

impl Replica {
    /// The one that every ground has.
    pub(crate) fn first(ground: &Ground) -> Self {
        Self {
            url: ground.addresses.replicas[0].url.clone(),
        }
    }

    /// A new, empty one beside it.
    pub(crate) async fn another() -> Self {
        let cluster = cluster().await;
        let name = new_database(&cluster, TEMPLATE_REPLICA).await;
        Self {
            url: cluster.url(&name, "fido_app"),
        }
    }

    /// As the role that Fido runs as.
    pub(crate) fn place(&self) -> PgConnectOptions {
        let options = PgConnectOptions::from_str(&self.url).unwrap();
        options.options([("search_path", fido_projections::SCHEMA)])
    }

    /// As its owner.
    pub(crate) fn owner(&self) -> PgConnectOptions {
        PgConnectOptions::from_str(&self.url)
            .unwrap()
            .username(OWNER)
    }

    /// A connection of the owner.
    pub(crate) async fn as_owner(&self) -> PgConnection {
        PgConnection::connect_with(&self.owner()).await.unwrap()
    }

    pub(crate) async fn position(&self) -> Position {
        sqlx::query_scalar("select position from fido.checkpoint")
            .fetch_one(&mut self.as_owner().await)
            .await
            .unwrap()
    }

    /// Waits until it shows the log up to `position`.
    pub(crate) async fn reaches(&self, position: Position) {
        self.reaches_within(PATIENCE, position).await;
    }

    /// [`reaches`](Self::reaches), of a log that takes longer.
    pub(crate) async fn reaches_within(&self, patience: Duration, position: Position) {
        let mut owner = self.as_owner().await;
        within(patience, "the replica has come far enough", async || {
            let reached: Position = sqlx::query_scalar("select position from fido.checkpoint")
                .fetch_one(&mut owner)
                .await
                .unwrap();
            reached >= position
        })
        .await;
    }

    /// Runs a projector of its own.
    pub(crate) async fn project(&self, ground: &Ground) -> Projecting {
        let system = ground.system().await;
        let pool = PgPoolOptions::new()
            .connect_with(self.place())
            .await
            .unwrap();
        let projector = Projector {
            replica: format!("replica-{}", ambient::new_id().simple()),
            pool,
            log: system.log(),
            nats: system.nats().clone(),
        };
        let shutdown = CancellationToken::new();
        Projecting {
            task: tokio::spawn(projector.run(shutdown.clone())),
            shutdown,
        }
    }
}

/// A projector at work.
pub(crate) struct Projecting {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Projecting {
    /// Ends it, and waits until it has.
    pub(crate) async fn end(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// A little of everything that has rows. Answers with the conversation.
pub(crate) async fn something_of_everything(app: &TestApp, user: &TestUser) -> Uuid {
    let id = app.start_conversation(user).await;
    for text in ["A bakery", "By the station"] {
        say(app, user, id, text).await;
    }
    let store = app.ground.store().await;
    let (account_id, plan_id) = (user.account_id, ambient::new_id());
    let context = || CommandContext::new(Actor::user(account_id), account_id);
    let start = PlanCommand::StartPlan {
        account_id,
        given: Given {
            title: PlanTitle::parse("The bakery").unwrap(),
            business_name: None,
            industry: None,
            location: None,
            stage: None,
            summary: None,
        },
    };
    let revise = PlanCommand::ReviseSection {
        account_id,
        section: Section::MarketAnalysis,
        expected: Some(0),
        text: SectionText::parse("Students and commuters").unwrap(),
    };
    let record = PlanCommand::RecordFact {
        account_id,
        key: FactKey::parse("opening_hours").unwrap(),
        value: FactValue::parse("From six").unwrap(),
        source: Source::User,
        conversation_id: None,
    };
    let request = PlanCommand::RequestGeneration {
        account_id,
        generation_id: ambient::new_id(),
        sections: None,
        instructions: None,
    };
    for command in [start, revise, record, request] {
        store
            .execute::<Plan>(plan_id, command, &context())
            .await
            .unwrap();
    }
    id
}

/// All of Fido but the co-pilots, somebody, something of everything that has rows, and the first
/// replica, which shows it.
pub(crate) struct CaughtUp {
    pub(crate) app: TestApp,
    pub(crate) ada: TestUser,
    /// Ada's conversation.
    pub(crate) conversation: Uuid,
    pub(crate) replica: Replica,
    /// Where the log ends.
    pub(crate) head: Position,
}

impl CaughtUp {
    pub(crate) async fn begin() -> Self {
        let app = TestApp::start_quiet().await;
        let ada = app.register("ada").await;
        let conversation = something_of_everything(&app, &ada).await;
        let replica = Replica::first(&app.ground);
        let head = log(&app.ground).await.head().await.unwrap();
        replica.reaches(head).await;
        Self {
            app,
            ada,
            conversation,
            replica,
            head,
        }
    }
}

/// A message, and a reply to it.
pub(crate) async fn say(app: &TestApp, user: &TestUser, id: Uuid, text: &str) -> Position {
    let store = app.ground.store().await;
    let (account_id, reply_id) = (user.account_id, ambient::new_id());
    let mut position = 0;
    for command in [
        ConversationCommand::PostMessage {
            account_id,
            message_id: ambient::new_id(),
            reply_id,
            text: MessageText::parse(text).unwrap(),
        },
        ConversationCommand::StartReply { reply_id },
        ConversationCommand::RecordReply {
            reply_id,
            attempt: 1,
            text: "Flour".to_owned(),
            model: "m".to_owned(),
            usage: Usage {
                input_tokens: 1,
                output_tokens: 1,
            },
        },
    ] {
        let context = CommandContext::new(Actor::user(account_id), account_id);
        position = store
            .execute::<Conversation>(id, command, &context)
            .await
            .unwrap()
            .position;
    }
    position
}

/// Puts copies of all streams that are there into the log, until it has about `events` events: each
/// stream again under other ids, of other accounts, several interleaved. As the owner, who alone may.
pub(crate) async fn multiply(ground: &Ground, events: i64) -> Position {
    let mut owner = PgConnection::connect(&ground.events_owner_url)
        .await
        .unwrap();
    let mut transaction = owner.begin().await.unwrap();
    for statement in [
        "create temporary table pattern as select row_number() over (order by position) - 1 as n, * from events",
        "select position from log_head for update",
    ] {
        sqlx::query(statement)
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    let (head, length): (i64, i64) =
        sqlx::query_as("select (select position from log_head), count(*) from pattern")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
    let copies = (events - head) / length;
    sqlx::query(
        "insert into events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                             payload, metadata, recorded_at) \
         select $1 + 1 + (c / 50) * 50 * $2 + n * least(50, $3 - (c / 50) * 50) + c % 50, \
                aggregate_type, md5(case when aggregate_id = metadata ->> 'subject' then '' else aggregate_id end || c)::uuid::text, sequence, event_type, event_version, \
                replace(payload::text, metadata ->> 'subject', md5(c::text)::uuid::text)::json, \
                replace(metadata::text, metadata ->> 'subject', md5(c::text)::uuid::text)::json, recorded_at \
           from generate_series(0, $3 - 1) as c cross join pattern",
    )
    .bind(head)
    .bind(length)
    .bind(copies)
    .execute(&mut *transaction)
    .await
    .unwrap();
    sqlx::query(
        "insert into streams (aggregate_type, aggregate_id, subject, last_sequence, first_position, last_position) \
         select aggregate_type, aggregate_id, min(metadata ->> 'subject')::uuid, max(sequence), \
                min(position), max(position) \
           from events where position > $1 group by aggregate_type, aggregate_id",
    )
    .bind(head)
    .execute(&mut *transaction)
    .await
    .unwrap();
    sqlx::query("update log_head set position = position + $1")
        .bind(copies * length)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    head + copies * length
}

/// The binary, told where everything is.
pub(crate) fn fido(ground: &Ground, replica: &Replica, arguments: &[&str]) -> Command {
    let mut command = ground.command(arguments);
    let owner = replica.url.replacen("fido_app@", &format!("{OWNER}@"), 1);
    command
        .env("FIDO_REPLICAS", format!("{REPLICA}={}", replica.url))
        .env("FIDO_REPLICA_OWNER_URL", owner);
    command
}

/// Everything that a pool of the first replica needs.
pub(crate) async fn pool(replica: &Replica) -> PgPool {
    PgPoolOptions::new()
        .connect_with(replica.place())
        .await
        .unwrap()
}
