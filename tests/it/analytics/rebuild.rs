//! A rebuild's switch, and the way back, leave the views in place with all that was made of them.

use sqlx::PgConnection;

use super::{as_analyst, shows_all, tour};
use crate::app::TestApp;
use crate::rebuild::{rebuild, roll_back};
use crate::replica_scene::Replica;

async fn messages(reader: &mut PgConnection, view: &str) -> (i64, i64) {
    let sql = format!("select sum(messages)::bigint, max(as_of_position) from {view}");
    sqlx::query_as(&sql).fetch_one(reader).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_and_an_analysts_own_view_survive_the_switch_and_the_way_back() {
    let app = TestApp::start_quiet().await;
    let store = app.ground.store().await;
    let people = tour::people(&store, 5).await;
    let replica = Replica::first(&app.ground);
    let head = shows_all(&app.ground, &replica).await;
    // Roles belong to the whole cluster, and tests share it.
    let guest = format!("guest_{}", people[0].account_id.simple());
    sqlx::raw_sql(&format!(
        "create role {guest}; grant usage on schema analytics to {guest}; \
         grant select on analytics.messages_by_day to {guest}; \
         create schema workbench authorization analyst; \
         update fido.messages_by_day set messages = messages + 1000"
    ))
    .execute(&mut replica.as_owner().await)
    .await
    .unwrap();
    let mut analyst = as_analyst(&replica).await;
    for statement in [
        "set default_transaction_read_only = off",
        "create view workbench.messages as \
         select day, messages, as_of_position from analytics.messages_by_day where not suppressed",
    ] {
        sqlx::raw_sql(statement)
            .execute(&mut analyst)
            .await
            .unwrap();
    }
    let mut as_guest = replica.as_owner().await;
    sqlx::raw_sql(&format!("set role {guest}"))
        .execute(&mut as_guest)
        .await
        .unwrap();
    let mut seen = async || {
        let of_analyst = messages(&mut analyst, "workbench.messages").await;
        let of_guest = messages(&mut as_guest, "analytics.messages_by_day").await;
        assert_eq!(of_analyst, of_guest);
        of_analyst
    };
    assert_eq!(seen().await, (5_025, head), "by hand");

    rebuild(&app.ground, &replica).await;
    assert_eq!(seen().await, (25, head), "as the log says");
    // They show what is live: the projector goes on in the new tables.
    people[0].does_everything().await;
    let later = shows_all(&app.ground, &replica).await;
    assert_eq!(seen().await, (30, later));
    roll_back(&app.ground, &replica).await;
    assert_eq!(seen().await, (5_030, later), "what was live before");
    // Nothing of theirs belongs to what the next switch drops.
    rebuild(&app.ground, &replica).await;
    rebuild(&app.ground, &replica).await;
    assert_eq!(seen().await, (30, later));
}
