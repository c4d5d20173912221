//! More commands than the process has room for: refused at once, and nothing accepted is lost.

use std::convert::Infallible;

use cqrs_es::DomainEvent;
use fido_commands::{CommandContext, Decide, ExecuteError, ambient};
use fido_domain::recorded::VERSION_1;
use fido_domain::{Actor, Evolve, StoredEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};

use crate::ground::Ground;

/// Takes whatever is put on it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Pile;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
enum PileEvent {
    #[serde(rename = "put")]
    Put { text: String },
}

impl StoredEvent for PileEvent {}

impl DomainEvent for PileEvent {
    fn event_type(&self) -> String {
        "put".to_owned()
    }

    fn event_version(&self) -> String {
        VERSION_1.to_owned()
    }
}

impl Evolve for Pile {
    const TYPE: &'static str = "test_pile";
    type Event = PileEvent;

    fn evolve(&mut self, _event: &PileEvent) {}
}

impl Decide for Pile {
    type Command = String;
    type Refusal = Infallible;

    fn decide(&self, text: &String) -> Result<Vec<PileEvent>, Infallible> {
        Ok(vec![PileEvent::Put { text: text.clone() }])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_fits_is_refused_at_once_and_what_was_accepted_is_done() {
    let ground = Ground::prepare().await;
    let store = ground.store().await;
    let mut owner = PgConnection::connect(&ground.events_owner_url)
        .await
        .unwrap();
    // Nobody gets at the log for a while.
    let mut holding = owner.begin().await.unwrap();
    sqlx::query("select from log_head for update")
        .fetch_one(&mut *holding)
        .await
        .unwrap();
    // 32 MiB may wait; these are 50.
    let mut commands = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let store = store.clone();
        commands.spawn(async move {
            let account_id = ambient::new_id();
            let context = CommandContext::new(Actor::user(account_id), account_id);
            let text = "x".repeat(100_000);
            store
                .execute::<Pile>(ambient::new_id(), text, &context)
                .await
        });
    }
    // On a slow machine the first of them may have waited their five seconds before there are too many.
    let (mut done, mut refused, mut gave_up) = (0, 0, 0);
    while refused == 0 {
        match commands.join_next().await.unwrap().unwrap() {
            Err(ExecuteError::Overloaded) => refused += 1,
            Err(ExecuteError::Unavailable(_)) => gave_up += 1,
            other => panic!("{other:?} while nobody gets at the log"),
        }
    }
    holding.rollback().await.unwrap();

    while let Some(outcome) = commands.join_next().await {
        match outcome.unwrap() {
            Ok(_) => done += 1,
            Err(ExecuteError::Overloaded) => refused += 1,
            Err(ExecuteError::Unavailable(_)) => gave_up += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(
        done + gave_up >= 300,
        "{done} done, {refused} refused, {gave_up} gave up"
    );
    let recorded: i64 = sqlx::query_scalar("select count(*) from events")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(recorded, done);
}
