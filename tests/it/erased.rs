//! What a replica shows of a conversation after it was erased, and of an account.

use fido_commands::CommandContext;
use fido_commands::account::AccountCommand;
use fido_commands::conversation::ConversationCommand;
use fido_domain::Actor;
use fido_domain::account::Account;
use fido_domain::conversation::Conversation;
use serde_json::json;
use sqlx::PgPool;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_conversation_is_shown_as_such_and_awaits_nothing() {
    // Without co-pilots, so that the reply is still awaited.
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let id = app.start_conversation(&ada).await;
    let messages = format!("/v1/conversations/{id}/messages");
    app.post(&ada, &messages, json!({"text": "A bakery"}), 202)
        .await;

    let store = app.ground.store().await;
    let account_id = ada.account_id;
    let context = || CommandContext::new(Actor::user(account_id), account_id);
    let erase = ConversationCommand::EraseConversation { account_id };
    let erased = store
        .execute::<Conversation>(id, erase, &context())
        .await
        .unwrap();

    let path = format!("/v1/conversations/{id}");
    let conversation = app.get(&ada, &path, erased.position).await;
    assert_eq!(conversation["status"], "erased");
    assert_eq!(conversation["message_count"], 2);
    let transcript = app.get(&ada, &messages, erased.position).await;
    assert_eq!(transcript["items"][1]["status"], "cancelled");
    app.post(&ada, &messages, json!({"text": "Still there?"}), 404)
        .await;

    // The replica follows the account's stream to its end, too.
    let erased = store
        .execute::<Account>(account_id, AccountCommand::EraseAccount, &context())
        .await
        .unwrap();
    app.get(&ada, "/v1/me", erased.position).await;
    let replica = PgPool::connect(&app.ground.addresses.replicas[0].url)
        .await
        .unwrap();
    let sequence: i64 =
        sqlx::query_scalar("select sequence from fido.accounts where account_id = $1")
            .bind(account_id)
            .fetch_one(&replica)
            .await
            .unwrap();
    assert_eq!(sequence, erased.events[0].1.sequence);
}
