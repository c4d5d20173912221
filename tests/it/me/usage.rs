//! What somebody has used this month.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::until::until;

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_tokens_of_this_month_are_counted() {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    let none = app.get(&ada, "/v1/me/usage", 0).await;
    assert_eq!(none["messages"], 0);
    assert_eq!(none["models"], json!([]));
    let chat = app.start_conversation(&ada).await;
    let messages = format!("/v1/conversations/{chat}/messages");
    app.post(&ada, &messages, json!({"text": "A bakery in Graz"}), 202)
        .await;
    until("the answer is counted", async || {
        app.get(&ada, "/v1/me/usage", 0).await["answers"] == 1
    })
    .await;
    let used = app.get(&ada, "/v1/me/usage", 0).await;
    let transcript = app.get(&ada, &messages, 0).await;
    let reply = &transcript["items"][1];
    assert_eq!(used["messages"], 1);
    assert_eq!(used["input_tokens"], reply["usage"]["input_tokens"]);
    assert_eq!(used["output_tokens"], reply["usage"]["output_tokens"]);
    assert_eq!(used["models"][0]["model"], reply["model"]);
    assert_eq!(used["cost"], Value::Null, "no prices are known");
    let none = json!({"messages": null, "tokens": null, "cost": null});
    assert_eq!(used["limits"], none);
    // Somebody else has used nothing.
    let bob = app.register("bob").await;
    assert_eq!(app.get(&bob, "/v1/me/usage", 0).await["messages"], 0);
}
