//! Nothing is shown about few people, and what is shown of more is right.

use fido_commands::account::AccountCommand;
use fido_domain::account::Role;
use fido_projections::analytics::{VIEWS, View};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{as_analyst, shows_all, tour};
use crate::app::TestApp;
use crate::replica_scene::Replica;

/// The rows of a view, in no order.
async fn rows(analyst: &mut PgConnection, name: &str) -> Vec<Value> {
    sqlx::query_scalar(&format!("select row_to_json(v) from analytics.{name} v"))
        .fetch_all(analyst)
        .await
        .unwrap()
}

/// The columns of a row that say how much of something there is.
fn figures<'a>(view: &View, row: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let others = ["suppressed", "as_of_position", "step"];
    row.as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| !others.contains(name) && !view.key.contains(name))
        .collect()
}

/// The only row about customers.
async fn of_customers(analyst: &mut PgConnection, name: &str) -> Value {
    let rows = rows(analyst, name).await;
    let mut rows = rows
        .into_iter()
        .filter(|row| row["audience"] == "customers");
    let row = rows.next().unwrap();
    assert_eq!(rows.next(), None, "{name}: it is the same day for all");
    row
}

/// Whether it is so late that a test may see two days.
async fn is_nearly_midnight(analyst: &mut PgConnection) -> bool {
    sqlx::query_scalar("select localtime > time '23:58' or localtime < time '00:01'")
        .fetch_one(analyst)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_people_are_too_few_and_five_are_not_unless_one_is_staff() {
    let app = TestApp::start_quiet().await;
    let store = app.ground.store().await;
    let replica = Replica::first(&app.ground);
    tour::people(&store, 4).await;
    shows_all(&app.ground, &replica).await;
    let mut analyst = as_analyst(&replica).await;
    for view in VIEWS.iter().filter(|view| view.day.is_some()) {
        let rows = rows(&mut analyst, view.name).await;
        assert!(!rows.is_empty(), "{}", view.name);
        for row in rows {
            if row["suppressed"] == false {
                // A step that nobody has reached is about nobody.
                assert_eq!(view.name, "plan_funnel");
                assert_eq!((&row["accounts"], &row["plans"]), (&json!(0), &json!(0)));
                continue;
            }
            for (column, value) in figures(view, &row) {
                assert_eq!(value, &Value::Null, "{}.{column}", view.name);
            }
        }
    }

    let fifth = tour::people(&store, 1).await.remove(0);
    shows_all(&app.ground, &replica).await;
    if is_nearly_midnight(&mut analyst).await {
        return;
    }
    let active = of_customers(&mut analyst, "daily_actives").await;
    assert_eq!(
        (&active["accounts"], &active["new_accounts"]),
        (&json!(5), &json!(5))
    );
    let messages = of_customers(&mut analyst, "messages_by_day").await;
    assert_eq!(
        (&messages["accounts"], &messages["messages"]),
        (&json!(5), &json!(25))
    );
    let replies = of_customers(&mut analyst, "reply_latency").await;
    assert_eq!(replies["requested"], 25);
    assert_eq!(
        (&replies["completed"], &replies["failed"]),
        (&json!(10), &json!(10))
    );
    assert!(replies["p50_seconds"].as_f64().unwrap() <= replies["p99_seconds"].as_f64().unwrap());
    let generations = of_customers(&mut analyst, "plan_generations").await;
    for (column, expected) in [
        ("requested", 15),
        ("completed", 5),
        ("failed", 5),
        ("cancelled", 5),
        ("open", 0),
        ("sections_drafted", 5),
        ("sections_skipped", 5),
        ("sections_failed", 5),
    ] {
        assert_eq!(generations[column], expected, "{column}");
    }
    let usage = rows(&mut analyst, "model_usage").await;
    let sum = |column: &str| {
        usage
            .iter()
            .map(|row| row[column].as_i64().unwrap())
            .sum::<i64>()
    };
    // Two replies and three generated sections each.
    assert_eq!((sum("answers"), sum("input_tokens")), (25, 2_500));
    let mut funnel = rows(&mut analyst, "plan_funnel").await;
    funnel.sort_by_key(|row| row["step_number"].as_i64());
    let plans: Vec<_> = funnel
        .iter()
        .map(|row| row["plans"].as_i64().unwrap())
        .collect();
    assert_eq!(plans, [5, 5, 0, 5, 0]);
    let sections = rows(&mut analyst, "section_completion_times").await;
    assert_eq!(sections.len(), 3);
    for row in sections {
        let is_approved = row["section"] == "market_analysis";
        assert_eq!(row["sections"], 5);
        assert_eq!(
            row["approved_p50_seconds"].is_number(),
            is_approved,
            "{row}"
        );
    }

    // Staff is somebody else: the five are four again.
    let role = Role::Analyst;
    fifth
        .account(AccountCommand::GrantRole { role, reason: None })
        .await;
    shows_all(&app.ground, &replica).await;
    for row in rows(&mut analyst, "messages_by_day").await {
        assert_eq!(
            (&row["suppressed"], &row["messages"]),
            (&json!(true), &Value::Null)
        );
    }
    fifth
        .account(AccountCommand::RevokeRole { role, reason: None })
        .await;
    shows_all(&app.ground, &replica).await;
    let messages = of_customers(&mut analyst, "messages_by_day").await;
    assert_eq!(messages["messages"], 25);
}
