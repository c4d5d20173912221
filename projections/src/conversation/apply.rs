//! How events of a conversation change its rows.

use fido_domain::conversation::ConversationEvent;
use fido_domain::{Private, Recorded};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres};

pub(crate) async fn apply(
    replica: &mut PgConnection,
    recorded: &Recorded,
    event: &ConversationEvent,
) -> Result<(), sqlx::Error> {
    let said = match event {
        ConversationEvent::ConversationStarted {
            account_id,
            copilot,
            goal,
            plan_id,
        } => {
            sqlx::query(
                "insert into conversations (conversation_id, account_id, copilot, goal, plan_id, \
                 status, message_count, sequence, created_at, last_activity_at) \
                 values ($1, $2, $3, $4, $5, 'active', 0, $6, $7, $7)",
            )
            .bind(recorded.aggregate_id)
            .bind(account_id)
            .bind(copilot.as_str())
            .bind(goal.as_ref().map(Json))
            .bind(plan_id)
            .bind(recorded.sequence)
            .bind(recorded.recorded_at)
            .execute(replica)
            .await?;
            return Ok(());
        }
        ConversationEvent::MessagePosted {
            message_id, text, ..
        } => {
            insert(recorded, "user", "complete")
                .bind(message_id)
                .bind(Json(text))
                .execute(&mut *replica)
                .await?;
            1
        }
        ConversationEvent::ReplyRequested { reply_id, .. } => {
            insert(recorded, "assistant", "requested")
                .bind(reply_id)
                .bind(None::<Json<Private<String>>>)
                .execute(&mut *replica)
                .await?;
            1
        }
        ConversationEvent::ReplyStarted { .. } => 0,
        ConversationEvent::ReplyCompleted {
            reply_id,
            text,
            model,
            usage,
            ..
        } => {
            sqlx::query(
                "update messages set status = 'complete', text = $3, model = $4, \
                 input_tokens = $5, output_tokens = $6 \
                 where conversation_id = $1 and message_id = $2",
            )
            .bind(recorded.aggregate_id)
            .bind(reply_id)
            .bind(Json(text))
            .bind(model)
            .bind(i64::from(usage.input_tokens))
            .bind(i64::from(usage.output_tokens))
            .execute(&mut *replica)
            .await?;
            0
        }
        ConversationEvent::ReplyFailed {
            reply_id, reason, ..
        } => {
            sqlx::query(
                "update messages set status = 'failed', failure = $3 \
                 where conversation_id = $1 and message_id = $2",
            )
            .bind(recorded.aggregate_id)
            .bind(reply_id)
            .bind(reason)
            .execute(&mut *replica)
            .await?;
            0
        }
        // The content goes with its key; that it is sealed is all the replica knows of it.
        ConversationEvent::ConversationErased {} => {
            sqlx::query("update conversations set status = 'erased' where conversation_id = $1")
                .bind(recorded.aggregate_id)
                .execute(&mut *replica)
                .await?;
            sqlx::query(
                "update messages set status = 'cancelled' \
                 where conversation_id = $1 and status = 'requested'",
            )
            .bind(recorded.aggregate_id)
            .execute(&mut *replica)
            .await?;
            0
        }
    };
    sqlx::query(
        "update conversations set message_count = message_count + $2, sequence = $3, \
         last_activity_at = $4 where conversation_id = $1",
    )
    .bind(recorded.aggregate_id)
    .bind(said)
    .bind(recorded.sequence)
    .bind(recorded.recorded_at)
    .execute(replica)
    .await?;
    Ok(())
}

/// A new row of the transcript; its id and text are still to be bound.
fn insert<'q>(
    recorded: &'q Recorded,
    role: &'static str,
    status: &'static str,
) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(
        "insert into messages (conversation_id, role, status, created_at, position, message_id, text) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(recorded.aggregate_id)
    .bind(role)
    .bind(status)
    .bind(recorded.recorded_at)
    .bind(recorded.position)
}
