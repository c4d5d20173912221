//! Views outside the replica's schema survive a switch, and what others have made of them.

use fido_projections::rebuild::{Rebuild, RebuildError};

use super::{rebuild, roll_back};
use crate::app::TestApp;
use crate::replica_scene::{CaughtUp, Replica, log};

#[tokio::test(flavor = "multi_thread")]
async fn views_for_analysts_show_the_new_rows_and_keep_grants_comments_and_views_on_them() {
    let CaughtUp {
        app,
        ada,
        replica,
        head,
        ..
    } = CaughtUp::begin().await;
    // Roles belong to the whole cluster, and tests share it.
    let analyst = format!("analyst_{}", ada.account_id.simple());
    sqlx::raw_sql(&format!(
        "create role {analyst}; grant usage on schema analytics to {analyst}; \
         create schema own authorization {analyst}; \
         create view analytics.talks with (security_barrier) as \
             select c.copilot, count(*) as talks, (select position from fido.checkpoint) as as_of_position \
               from fido.conversations c group by 1; \
         comment on view analytics.talks is 'Conversations by co-pilot.'; \
         grant select on analytics.talks to {analyst}; \
         set role {analyst}; create view own.busy as select * from analytics.talks where talks > 0; \
         reset role; update fido.conversations set copilot = 'by hand'"
    ))
    .execute(&mut replica.as_owner().await)
    .await
    .unwrap();
    let busy = async || -> (String, i64, i64) {
        let mut owner = replica.as_owner().await;
        sqlx::raw_sql(&format!("set role {analyst}"))
            .execute(&mut owner)
            .await
            .unwrap();
        sqlx::query_as("select copilot, talks, as_of_position from own.busy")
            .fetch_one(&mut owner)
            .await
            .unwrap()
    };
    assert_eq!(busy().await, ("by hand".to_owned(), 1, head));

    let (_, verdict, _) = rebuild(&app.ground, &replica).await;
    assert!(!verdict.is_equal());
    let (copilot, talks, position) = busy().await;
    assert_eq!(
        (copilot.as_str(), talks, position),
        ("business_plan_architect", 1, head),
        "as the log says"
    );
    let kept: (String, Vec<String>) = sqlx::query_as(
        "select obj_description('analytics.talks'::regclass), reloptions from pg_class \
          where oid = 'analytics.talks'::regclass",
    )
    .fetch_one(&mut replica.as_owner().await)
    .await
    .unwrap();
    assert_eq!(kept.0, "Conversations by co-pilot.");
    assert_eq!(kept.1, ["security_barrier=true"]);

    roll_back(&app.ground, &replica).await;
    assert_eq!(busy().await.0, "by hand");
    // What was live is dropped by the next switch, and takes nothing with it.
    rebuild(&app.ground, &replica).await;
    rebuild(&app.ground, &replica).await;
    assert_eq!(busy().await.0, "business_plan_architect");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_moved_to_new_tables_is_named_before_the_work() {
    let app = TestApp::start_quiet().await;
    let replica = Replica::first(&app.ground);
    sqlx::raw_sql("create materialized view public.frozen as select * from fido.conversations")
        .execute(&mut replica.as_owner().await)
        .await
        .unwrap();
    let refused = Rebuild::begin(replica.owner(), log(&app.ground).await, "test").await;
    match refused {
        Err(RebuildError::InTheWay { object }) => assert!(object.contains("frozen"), "{object}"),
        _ => panic!("it was not refused"),
    }
}
