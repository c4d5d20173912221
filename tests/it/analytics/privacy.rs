//! No personal content is within reach of the role for analysts, not even content that is not sealed.

use std::collections::BTreeSet;

use fido_commands::account::AccountCommand;
use fido_domain::catalogue::contracts;
use fido_projections::analytics::{ROLE, VIEWS};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use super::tour::{MARKER, people};
use super::{as_analyst, shows_all};
use crate::app::TestApp;
use crate::ground::Ground;
use crate::replica_scene::Replica;

/// Every kind of event is in the log, with something in each private field that it has.
async fn everything_was_said(ground: &Ground) {
    let pool = ground.pool().await;
    for contract in contracts().unwrap() {
        for event in contract.events {
            let said: Vec<String> = sqlx::query_scalar(
                "select distinct json_object_keys(payload) from events where event_type = $1",
            )
            .bind(&event.event_type)
            .fetch_all(&pool)
            .await
            .unwrap();
            let happened: bool =
                sqlx::query_scalar("select exists (select from events where event_type = $1)")
                    .bind(&event.event_type)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
            assert!(happened, "the tour lacks {}", event.event_type);
            for field in event.fields.iter().filter(|field| field.private) {
                let name = &event.event_type;
                assert!(
                    said.contains(&field.path),
                    "the tour lacks {name}.{}",
                    field.path
                );
            }
        }
    }
}

/// The tables of the replica, and those of their columns that hold sealed content.
async fn tables(owner: &mut PgConnection) -> Vec<(String, Vec<String>)> {
    sqlx::query_as(
        "select c.oid::regclass::text, \
                array(select quote_ident(a.attname) from pg_attribute a \
                       where a.attrelid = c.oid and a.atttypid = 'json'::regtype and not a.attisdropped) \
           from pg_class c where c.relnamespace = 'fido'::regnamespace and c.relkind in ('r', 'p')",
    )
    .fetch_all(owner)
    .await
    .unwrap()
}

/// Puts the marker, unsealed, wherever a replica keeps text that somebody wrote.
async fn unseal(owner: &mut PgConnection) {
    let mut marked = 0;
    for (table, columns) in tables(owner).await {
        for column in columns {
            let statement = format!("update {table} set {column} = to_json('{MARKER}'::text)");
            let done = sqlx::raw_sql(&statement)
                .execute(&mut *owner)
                .await
                .unwrap();
            marked += usize::from(done.rows_affected() > 0);
        }
    }
    assert!(marked >= 15, "only {marked} columns had content");
    sqlx::raw_sql(&format!(
        "update fido.projector set paused_since = now(), pause_reason = '{MARKER}', \
                waits_at = 1, waits_since = now(), waits_for = '{MARKER}'; \
         insert into fido.quarantine \
         select position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                to_json('{MARKER}'::text), to_json('{MARKER}'::text), recorded_at, position, '{MARKER}' \
           from fido.audit_timeline where event_type = 'message_posted'; \
         analyze"
    ))
    .execute(owner)
    .await
    .unwrap();
}

/// Every relation of whatever schema that the role may read.
async fn readable(analyst: &mut PgConnection) -> Vec<(String, String)> {
    sqlx::query_as(
        "select n.nspname::text, c.oid::regclass::text \
           from pg_class c join pg_namespace n on n.oid = c.relnamespace \
          where c.relkind in ('r', 'p', 'v', 'm', 'f') and has_schema_privilege(n.oid, 'usage') \
            and has_any_column_privilege(c.oid, 'select')",
    )
    .fetch_all(analyst)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_the_analyst_may_read_says_what_somebody_wrote() {
    let app = TestApp::start_quiet().await;
    let store = app.ground.store().await;
    people(&store, 5).await;
    let gone = people(&store, 1).await.remove(0);
    gone.account(AccountCommand::EraseAccount).await;
    everything_was_said(&app.ground).await;
    let replica = Replica::first(&app.ground);
    shows_all(&app.ground, &replica).await;
    // Nobody but the test writes from now on.
    app.stop_projecting(&app.ground.addresses.replicas[0].name)
        .await;
    let mut owner = replica.as_owner().await;
    unseal(&mut owner).await;

    let mut analyst = as_analyst(&replica).await;
    let readable = readable(&mut analyst).await;
    let of_system = |schema: &str| schema == "pg_catalog" || schema == "information_schema";
    let views: BTreeSet<_> = readable
        .iter()
        .filter(|(schema, _)| !of_system(schema))
        .map(|(_, name)| name.trim_start_matches("analytics.").to_owned())
        .collect();
    let known = VIEWS.each_ref().map(|view| view.name.to_owned());
    assert_eq!(views, BTreeSet::from(known));
    let mut read = 0;
    for (schema, name) in readable {
        let rows =
            sqlx::query_scalar::<_, Option<String>>(&format!("select r::text from {name} r"))
                .fetch_all(&mut analyst)
                .await;
        let rows = match rows {
            Ok(rows) => rows,
            // Some of the system's views ask for more when they are read.
            Err(error) if of_system(&schema) && is_refusal(&error) => continue,
            Err(error) => panic!("{name}: {error}"),
        };
        for row in rows.into_iter().flatten() {
            read += 1;
            for text in [MARKER, "example.com"] {
                assert!(!row.contains(text), "{name}: {row}");
            }
        }
    }
    assert!(read > 1_000, "only {read} rows were read");

    // The owner, who looks alike, does find it; the analyst may not look.
    for (table, columns) in tables(&mut owner).await {
        let statement = format!("select r::text from {table} r");
        let rows: Vec<String> = sqlx::query_scalar(&statement)
            .fetch_all(&mut owner)
            .await
            .unwrap();
        if !columns.is_empty() && !rows.is_empty() {
            assert!(rows.iter().any(|row| row.contains(MARKER)), "{table}");
        }
        let refused = sqlx::raw_sql(&statement).execute(&mut analyst).await;
        assert!(is_refusal(&refused.unwrap_err()), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_analyst_can_write_nothing_and_does_not_ask_for_ever() {
    let app = TestApp::start_quiet().await;
    let mut analyst = as_analyst(&Replica::first(&app.ground)).await;
    let settings: (String, String, String) = sqlx::query_as(
        "select current_setting('default_transaction_read_only'), \
                current_setting('statement_timeout'), current_setting('timezone')",
    )
    .fetch_one(&mut analyst)
    .await
    .unwrap();
    assert_eq!(
        settings,
        ("on".to_owned(), "1min".to_owned(), "UTC".to_owned())
    );
    sqlx::raw_sql("set default_transaction_read_only = off")
        .execute(&mut analyst)
        .await
        .unwrap();
    for statement in [
        "create table analytics.mine (a int)",
        "create table public.mine (a int)",
        "create table fido.mine (a int)",
        "create schema mine",
        "update fido.checkpoint set position = 7",
        "drop view analytics.quarantine",
        "comment on view analytics.quarantine is 'mine'",
        "create or replace view analytics.quarantine as select 1 as a",
    ] {
        let refused = sqlx::raw_sql(statement).execute(&mut analyst).await;
        assert!(is_refusal(&refused.unwrap_err()), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_analyst_reaches_nothing_in_an_event_store_on_the_same_server() {
    let app = TestApp::start_quiet().await;
    let place: PgConnectOptions = app.ground.events_owner_url.parse().unwrap();
    let mut analyst = PgConnection::connect_with(&place.username(ROLE))
        .await
        .unwrap();
    let functions: Vec<String> = sqlx::query_scalar(
        "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
          where n.nspname not in ('pg_catalog', 'information_schema') \
            and p.prosecdef and has_function_privilege(p.oid, 'execute')",
    )
    .fetch_all(&mut analyst)
    .await
    .unwrap();
    assert_eq!(functions, Vec::<String>::new());
    for (schema, name) in readable(&mut analyst).await {
        assert!(
            schema == "pg_catalog" || schema == "information_schema",
            "{name}"
        );
    }
}

/// `insufficient_privilege`.
fn is_refusal(error: &sqlx::Error) -> bool {
    let refusal = error.as_database_error().expect("the database says no");
    refusal.code().as_deref() == Some("42501")
}
