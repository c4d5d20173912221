//! The log only grows: the database refuses everything else, whoever asks.

use fido_commands::conversation::ConversationCommand;
use fido_commands::{CommandContext, EventStore};
use fido_domain::Actor;
use fido_domain::conversation::{Conversation, Copilot};
use sqlx::{Connection, PgConnection};

use crate::ground::Ground;

/// Every statement that would change history, for the table and for each of its partitions.
async fn attempts(owner: &mut PgConnection) -> Vec<String> {
    let partitions: Vec<String> = sqlx::query_scalar(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass",
    )
    .fetch_all(owner)
    .await
    .unwrap();
    assert!(partitions.len() >= 2, "{partitions:?}");
    std::iter::once("events".to_owned())
        .chain(partitions)
        .flat_map(|table| {
            [
                format!("update {table} set event_type = 'forged'"),
                format!("delete from {table}"),
                format!("truncate {table}"),
            ]
        })
        .collect()
}

/// One more event.
async fn start_a_conversation(store: &EventStore) {
    let account_id = fido_commands::ambient::new_id();
    let command = ConversationCommand::StartConversation {
        account_id,
        copilot: Copilot::GrowthEngine,
        goal: None,
        plan_id: None,
    };
    let context = CommandContext::new(Actor::user(account_id), account_id);
    store
        .execute::<Conversation>(fido_commands::ambient::new_id(), command, &context)
        .await
        .unwrap();
}

/// A ground with one event in the log.
async fn ground_with_an_event() -> (Ground, PgConnection) {
    let ground = Ground::prepare().await;
    start_a_conversation(&ground.store().await).await;
    let owner = PgConnection::connect(&ground.events_owner_url)
        .await
        .unwrap();
    (ground, owner)
}

fn code(error: &sqlx::Error) -> String {
    let refusal = error.as_database_error().expect("a refusal");
    refusal.code().unwrap_or_default().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_fido_runs_as_changes_no_event() {
    let (ground, mut owner) = ground_with_an_event().await;
    let mut app = PgConnection::connect(&ground.addresses.events_url)
        .await
        .unwrap();
    for attempt in attempts(&mut owner).await {
        let error = sqlx::raw_sql(&attempt).execute(&mut app).await.unwrap_err();
        assert_eq!(code(&error), "42501", "{attempt}: {error}");
    }
    for bypass in [
        "insert into events select * from events",
        "update log_head set position = 0",
        "update streams set last_sequence = 0",
        "delete from claims",
        "alter table events disable trigger all",
        "select add_segment()",
    ] {
        let error = sqlx::raw_sql(bypass).execute(&mut app).await.unwrap_err();
        assert_eq!(code(&error), "42501", "{bypass}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_even_the_owner_changes_an_event() {
    let (_ground, mut owner) = ground_with_an_event().await;
    for attempt in attempts(&mut owner).await {
        let error = sqlx::raw_sql(&attempt)
            .execute(&mut owner)
            .await
            .unwrap_err();
        assert_eq!(code(&error), "23001", "{attempt}: {error}");
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_segment_is_followed_by_the_next_and_each_is_guarded() {
    let (ground, mut owner) = ground_with_an_event().await;
    // Tiny segments from here on; the two that exist end at 2 × 16 Mi, far away, so the log is moved
    // close to that end. Only an owner can, and only here.
    sqlx::raw_sql(
        "update log_head set segment_size = 10, position = segments_end - 15, segments_end = segments_end",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let store = ground.store().await;
    for _ in 0..60 {
        start_a_conversation(&store).await;
    }
    let (segments, events): (i64, i64) = sqlx::query_as(
        "select (select count(*) from pg_inherits where inhparent = 'events'::regclass), \
                (select count(*) from events)",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(events, 61);
    assert!((7..=9).contains(&segments), "{segments} segments");
    for attempt in attempts(&mut owner).await {
        let error = sqlx::raw_sql(&attempt)
            .execute(&mut owner)
            .await
            .unwrap_err();
        assert_eq!(code(&error), "23001", "{attempt}: {error}");
    }
}
