//! The log in many segments: whatever is read touches only the segments that hold it.

use fido_commands::log::Log;
use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, EventStore, ambient};
use fido_domain::Actor;
use fido_domain::plan::{Plan, PlanTitle};
use serde_json::Value;
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use crate::ground::Ground;

/// One more event of the plan: its title alternates, so that each command changes something.
async fn retitle(store: &EventStore, account_id: Uuid, plan: Uuid, n: u32) {
    let title = PlanTitle::parse(format!("Title {n}")).unwrap();
    let command = if n == 0 {
        PlanCommand::StartPlan {
            account_id,
            given: Given {
                title,
                business_name: None,
                industry: None,
                location: None,
                stage: None,
                summary: None,
            },
        }
    } else if n % 2 == 1 {
        PlanCommand::ArchivePlan { account_id }
    } else {
        PlanCommand::RestorePlan { account_id }
    };
    let context = CommandContext::new(Actor::user(account_id), account_id);
    let committed = store
        .execute::<Plan>(plan, command, &context)
        .await
        .unwrap();
    assert_eq!(committed.events.len(), 1);
}

/// The segments that the plan of a statement with parameters really read.
async fn segments_read(connection: &mut PgConnection, prepare: &str, execute: &str) -> usize {
    // As a prepared statement is planned once it has been used a few times.
    for statement in [
        "set plan_cache_mode = force_generic_plan",
        "deallocate all",
        prepare,
    ] {
        sqlx::raw_sql(statement)
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    let rows = sqlx::raw_sql(&format!("explain (analyze, format json) {execute}"))
        .fetch_all(connection)
        .await
        .unwrap();
    let plan: Value = rows[0].try_get(0).unwrap();
    let mut read = std::collections::BTreeSet::new();
    let mut nodes = vec![&plan[0]["Plan"]];
    while let Some(node) = nodes.pop() {
        if let Some(table) = node["Relation Name"].as_str()
            && table.starts_with("events_")
            && node["Actual Loops"].as_f64() > Some(0.0)
        {
            assert_ne!(node["Node Type"], "Seq Scan", "{node}");
            read.insert(table.to_owned());
        }
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    read.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_segments_only_those_that_hold_a_stream_are_touched() {
    let ground = Ground::prepare().await;
    let mut owner = PgConnection::connect(&ground.events_owner_url)
        .await
        .unwrap();
    // Segments of ten events. The two that exist end at 2 × 16 Mi, so the log is moved close to that
    // end; only an owner can.
    sqlx::raw_sql("update log_head set segment_size = 10, position = segments_end - 15")
        .execute(&mut owner)
        .await
        .unwrap();
    let store = ground.store().await;
    let account_id = ambient::new_id();
    // One stream in two neighbouring segments early on, one at the very end, and much between.
    let (early, late) = (ambient::new_id(), ambient::new_id());
    for n in 0..20 {
        retitle(&store, account_id, early, n).await;
    }
    let between = ambient::new_id();
    for n in 0..560 {
        retitle(&store, account_id, between, n).await;
    }
    for n in 0..5 {
        retitle(&store, account_id, late, n).await;
    }
    let segments: i64 =
        sqlx::query_scalar("select count(*) from pg_inherits where inhparent = 'events'::regclass")
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert!(segments >= 60, "{segments} segments");

    // What postgres-es asks, word for word but for the names of the parameters.
    let load = "prepare load as select aggregate_type, aggregate_id, sequence, event_type, event_version, \
                payload, metadata from stream_events where aggregate_type = $1 and aggregate_id = $2 order by sequence";
    for (stream, most) in [(early, 3), (late, 2), (between, 58)] {
        let execute = format!("execute load('plan', '{stream}')");
        let read = segments_read(&mut owner, load, &execute).await;
        assert!((1..=most).contains(&read), "{read} segments for {stream}");
    }

    // The end of the log, as the relay and projectors read it.
    let tail = "prepare tail as select position from events where position > $1 order by position limit $2";
    let log = Log::new(ground.pool().await);
    let head = log.head().await.unwrap();
    let read = segments_read(
        &mut owner,
        tail,
        &format!("execute tail({}, 500)", head - 3),
    )
    .await;
    assert!(read <= 2, "{read} segments for the tail");

    // And postgres-es really reads it whole: a store without any memory decides on all of it.
    let fresh = ground.store().await;
    retitle(&fresh, account_id, between, 560).await;
    assert_eq!(log.stream("plan", between).await.unwrap().len(), 561);
}
