//! The vault in a database of its own: the event store's database holds no key at all.

use fido::config::{OwnerUrls, ReplicaAddress};
use fido::migrate;
use fido::stack::OWNER;
use fido_commands::conversation::ConversationCommand;
use fido_commands::log::Log;
use fido_commands::secrets::MasterKey;
use fido_commands::{CommandContext, EventStore, Vault, ambient};
use fido_domain::conversation::{Conversation, ConversationEvent, Copilot, Goal};
use fido_domain::{Actor, Private};
use sqlx::PgPool;

use crate::ground::{REPLICA, cluster};

#[tokio::test(flavor = "multi_thread")]
async fn with_a_vault_apart_the_event_store_has_no_schema_for_keys() {
    let cluster = cluster().await;
    for name in ["apart_events", "apart_replica", "apart_vault"] {
        cluster.ensure_database(name).await.unwrap();
    }
    migrate::all(&OwnerUrls {
        events: cluster.url("apart_events", OWNER),
        replicas: vec![ReplicaAddress {
            name: REPLICA.to_owned(),
            url: cluster.url("apart_replica", OWNER),
        }],
        vault: cluster.url("apart_vault", OWNER),
    })
    .await
    .unwrap();
    let connect = async |name: &str| {
        PgPool::connect(&cluster.url(name, "fido_app"))
            .await
            .unwrap()
    };
    let (events, keys) = (connect("apart_events").await, connect("apart_vault").await);
    let key = MasterKey::parse(&MasterKey::generate()).unwrap();
    let store = EventStore::new(events.clone(), Vault::new(keys.clone(), key));
    let account_id = ambient::new_id();
    let start = ConversationCommand::StartConversation {
        account_id,
        copilot: Copilot::GrowthEngine,
        goal: Some(Goal::parse("More customers").unwrap()),
        plan_id: None,
    };
    let context = CommandContext::new(Actor::user(account_id), account_id);
    store
        .execute::<Conversation>(ambient::new_id(), start, &context)
        .await
        .unwrap();

    let mut recorded = Log::new(events.clone())
        .after(0, 1)
        .await
        .unwrap()
        .remove(0);
    assert!(!recorded.payload.get().contains("customers"));
    store.vault().open(&mut recorded).await.unwrap();
    let ConversationEvent::ConversationStarted { goal, .. } = recorded.event().unwrap() else {
        panic!("another event");
    };
    assert_eq!(goal.as_ref().map(Private::shown), Some("More customers"));
    let schemas = "select count(*) from pg_namespace where nspname = 'vault'";
    let schemas: i64 = sqlx::query_scalar(schemas)
        .fetch_one(&events)
        .await
        .unwrap();
    assert_eq!(schemas, 0);
    let made = "select count(*) from vault.stream_keys";
    let made: i64 = sqlx::query_scalar(made).fetch_one(&keys).await.unwrap();
    assert_eq!(made, 1);
}
