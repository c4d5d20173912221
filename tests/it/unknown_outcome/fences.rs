//! What the server may still hold of an earlier try is barred by the next one, whatever that one was
//! answered.

use fido_commands::ambient;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::event_store::Database;

/// One event for a new stream, as the try `attempt` of `appender`; answers with the outcome.
async fn call(
    line: &mut PgConnection,
    (appender, attempt): (Uuid, i64),
    seen: i64,
    epoch: i32,
) -> String {
    let command = ambient::new_id();
    sqlx::query_scalar(
        "select outcome from append_events($1, $2, $3, $4, \
         array[$5], array['conversation'], array[$5::text], array[0], array[$5], array[1], \
         array[1], array[1], array['conversation_started'], array['1'], array['{}'], \
         array['{\"command_id\":\"' || $5::text || '\"}'], \
         '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    )
    .bind(appender)
    .bind(attempt)
    .bind(seen)
    .bind(epoch)
    .bind(command)
    .fetch_one(line)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_late_first_try_is_refused_although_the_second_was_not_taken() {
    let database = Database::on_the_shared_cluster().await;
    let mut line = PgConnection::connect_with(&database.app).await.unwrap();
    for (seen, epoch, answer) in [(0, 2, "epoch"), (1_000, 1, "diverged")] {
        let appender = ambient::new_id();
        let second = call(&mut line, (appender, 1), seen, epoch).await;
        assert_eq!(second, answer);
        let first = call(&mut line, (appender, 0), 0, 1).await;
        assert_eq!(first, "fenced", "after {answer}");
        let other = call(&mut line, (ambient::new_id(), 0), 0, 1).await;
        assert_eq!(other, "appended", "others are not barred");
    }
}
