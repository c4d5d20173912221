//! Every query finds its rows by an index, in the order in which they are wanted.

use fido_projections::query::{self, Kind, WRITING};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Connection, PgConnection};

use super::history::{Size, history};
use super::replica::Replica;
use crate::ground::Ground;

const SIZE: Size = Size {
    people: 300,
    conversations: 2,
    plans: 1,
    commands: 20,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_query_finds_its_rows_by_an_index() {
    let ground = Ground::prepare().await;
    let events = history(&ground, 7, SIZE).await;
    assert!(events.len() > 5_000, "{} events", events.len());
    let replica = Replica::empty().await;
    replica.write(&events, 1_000).await;
    replica.analyze().await;

    let mut connection = replica.pool.acquire().await.unwrap();
    let mut wrong = Vec::new();
    for query in query::all() {
        let plan = plan_of(&mut connection, query.sql(), query.kind()).await;
        let found = objections(&plan, query.kind());
        if !found.is_empty() {
            wrong.push(format!("{}: {}\n{plan:#}", query.name(), found.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));

    // What there is no index for would have been noticed.
    for (sql, kind) in [
        ("select text from messages where model = $1", Kind::Read),
        (
            "select position from audit_timeline where subject = $1 order by recorded_at",
            Kind::Read,
        ),
        (
            "update plans set stage = $1 where summary is null",
            Kind::Write,
        ),
    ] {
        let plan = plan_of(&mut connection, sql, kind).await;
        assert!(!objections(&plan, kind).is_empty(), "{sql}\n{plan:#}");
    }
}

/// The plan that holds for whatever it is asked with.
async fn plan_of(connection: &mut PgConnection, sql: &str, kind: Kind) -> Value {
    let mut transaction = connection.begin().await.unwrap();
    sqlx::raw_sql("set local plan_cache_mode = force_generic_plan")
        .execute(&mut *transaction)
        .await
        .unwrap();
    if kind == Kind::Write {
        sqlx::query(WRITING)
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    sqlx::raw_sql(&format!("prepare of_query as {sql}"))
        .execute(&mut *transaction)
        .await
        .unwrap();
    let arguments: i32 = sqlx::query_scalar(
        "select cardinality(parameter_types) from pg_prepared_statements where name = 'of_query'",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    let arguments = vec!["null"; usize::try_from(arguments).unwrap()].join(", ");
    let explain = format!("explain (format json) execute of_query({arguments})");
    let Json(plan): Json<Value> = sqlx::query_scalar(&explain)
        .persistent(false)
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    sqlx::raw_sql("deallocate of_query")
        .execute(&mut *transaction)
        .await
        .unwrap();
    plan[0]["Plan"].clone()
}

/// What is wrong with a plan.
fn objections(plan: &Value, kind: Kind) -> Vec<String> {
    let mut wrong = Vec::new();
    look(plan, kind, &mut wrong);
    wrong
}

/// Node by node.
fn look(node: &Value, kind: Kind, wrong: &mut Vec<String>) {
    let name = node["Node Type"].as_str().unwrap();
    let relation = node["Relation Name"].as_str().unwrap_or_default();
    match name {
        "Seq Scan" => wrong.push(format!("reads all of {relation}")),
        "Sort" | "Incremental Sort" if kind == Kind::Read => wrong.push("sorts".to_owned()),
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" if node["Index Cond"].is_null() => {
            wrong.push(format!("reads all of the index {}", node["Index Name"]));
        }
        _ => {}
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        look(child, kind, wrong);
    }
}
