//! `fido keys rotate`: another master key, the same log, byte for byte.

use fido_commands::conversation::ConversationCommand;
use fido_commands::log::Log;
use fido_commands::secrets::{MasterKey, MasterKeys};
use fido_commands::vault::VaultError;
use fido_commands::{CommandContext, EventStore, Vault, ambient};
use fido_domain::conversation::{Conversation, ConversationEvent, Copilot, Goal};
use fido_domain::{Actor, Private};
use futures::stream::{StreamExt, iter};
use sqlx::PgPool;
use tokio::process::Command;

use crate::ground::Ground;

/// One conversation each for `people`, with a goal that only the right key shows.
async fn converse(store: &EventStore, people: usize) {
    let conversations = iter(0..people).map(|n| async move {
        let account_id = ambient::new_id();
        let start = ConversationCommand::StartConversation {
            account_id,
            copilot: Copilot::GrowthEngine,
            goal: Some(Goal::parse(format!("Goal {n}")).unwrap()),
            plan_id: None,
        };
        let context = CommandContext::new(Actor::user(account_id), account_id);
        store
            .execute::<Conversation>(ambient::new_id(), start, &context)
            .await
            .unwrap();
    });
    conversations.buffer_unordered(64).collect::<Vec<_>>().await;
}

async fn fingerprint(pool: &PgPool) -> (i64, String) {
    sqlx::query_as(
        "select count(*), md5(string_agg(md5(e::text || e.xmin::text || e.ctid::text), '' order by position)) from events e",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// How many goals `vault` opens.
async fn readable(pool: &PgPool, vault: &Vault) -> Result<usize, VaultError> {
    let mut read = 0;
    for mut event in Log::new(pool.clone()).after(0, i64::MAX).await.unwrap() {
        vault.open(&mut event).await?;
        let ConversationEvent::ConversationStarted { goal, .. } = event.event().unwrap() else {
            continue;
        };
        read += usize::from(matches!(goal, Some(Private::Open(_))));
    }
    Ok(read)
}

async fn rotate(people: usize) {
    let ground = Ground::prepare().await;
    let (pool, store) = (ground.pool().await, ground.store().await);
    store.vault().pepper().await.unwrap();
    converse(&store, people).await;
    let before = fingerprint(&pool).await;
    assert_eq!(before.0, i64::try_from(people).unwrap());

    let old = ground.master_key.clone();
    let new = MasterKey::generate();
    let rotated = Command::new(env!("CARGO_BIN_EXE_fido"))
        .args([
            "keys",
            "rotate",
            "--vault-url",
            &ground.addresses.events_url,
        ])
        .env("FIDO_MASTER_KEY", &new)
        .env("FIDO_PREVIOUS_MASTER_KEY", &old)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(rotated.stdout).unwrap();
    let log = String::from_utf8_lossy(&rotated.stderr).into_owned();
    // A key for each person, and that of the keyed hashes.
    assert!(
        said.starts_with(&format!("{} keys", people + 1)),
        "{said}{log}"
    );
    assert!(!log.contains(&old) && !log.contains(&new) && !said.contains(&new));
    assert_eq!(fingerprint(&pool).await, before, "no event was touched");

    let vault = |current: &str, previous: Option<&str>| {
        let keys = MasterKeys {
            current: MasterKey::parse(current).unwrap(),
            previous: previous.map(|key| MasterKey::parse(key).unwrap()),
        };
        Vault::new(pool.clone(), keys)
    };
    assert_eq!(readable(&pool, &vault(&new, None)).await.unwrap(), people);
    assert_eq!(
        readable(&pool, &vault(&new, Some(&old))).await.unwrap(),
        people
    );
    let refused = readable(&pool, &vault(&old, None)).await.unwrap_err();
    let wanted = MasterKey::parse(&new).unwrap().id();
    assert!(refused.to_string().contains(&wanted), "{refused}");

    // Once more is no more work, and a process with the new key goes on writing.
    let again = vault(&new, Some(&old)).rotate(|_| {}).await.unwrap();
    assert_eq!((again.done, again.left), (0, 0));
    converse(&EventStore::new(pool.clone(), vault(&new, None)), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_touches_no_event_and_opens_all_of_them() {
    rotate(1_500).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: cargo test --release --test it rotation -- --ignored"]
async fn a_hundred_thousand_keys_are_rotated() {
    rotate(100_000).await;
}
