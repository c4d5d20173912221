//! Conversations beside the talk itself: named, put away, about a plan; replies cancelled, written
//! again and rated.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, TestUser, UNPACED};
use crate::ask::Told;
use crate::until::until;

async fn start(app: &TestApp, user: &TestUser, new: Value) -> Told {
    let ask = app.ask(user, Method::POST, "/v1/conversations");
    ask.json(&new).expect(201).await
}

/// A model that writes slowly enough to be interrupted.
const SLOW: fido::model::Options = fido::model::Options {
    first_token_ms: 0,
    tokens_per_second: 5,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_named_put_away_and_found_by_its_status() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let started = start(
        &app,
        &ada,
        json!({"copilot": "growth_engine", "goal": "Grow"}),
    )
    .await;
    let path = format!("/v1/conversations/{}", started.id());
    assert_eq!(started.etag(), "\"1\"");
    let filed = json!({"title": "More guests", "status": "archived"});
    let filed = app.ask(&ada, Method::PATCH, &path).json(&filed);
    let filed = filed.header("If-Match", started.etag()).expect(200).await;
    assert_eq!(filed.body["title"], "More guests");
    assert_eq!(filed.body["status"], "archived");
    assert_eq!(filed.body["goal"], "Grow");
    assert_eq!(
        filed.body["last_activity_at"],
        started.body["last_activity_at"]
    );
    assert_eq!(filed.etag(), "\"3\"");
    let read = app.ask(&ada, Method::GET, &path).at(filed.position());
    let read = read.expect(200).await;
    assert_eq!((&read.body, read.etag()), (&filed.body, filed.etag()));
    for (query, expected) in [
        ("status=archived", 1),
        ("status=active", 0),
        ("copilot=growth_engine", 1),
        ("copilot=funding_navigator", 0),
    ] {
        let list = app.ask(&ada, Method::GET, &format!("/v1/conversations?{query}"));
        let list = list.at(filed.position()).expect(200).await;
        assert_eq!(
            list.body["items"].as_array().unwrap().len(),
            expected,
            "{query}"
        );
    }

    let stale = app
        .ask(&ada, Method::PATCH, &path)
        .json(&json!({"title": "Fewer"}));
    let stale = stale.header("If-Match", started.etag());
    stale.refused(412, "precondition-failed").await;
    let messages = format!("{path}/messages");
    let post = || {
        app.ask(&ada, Method::POST, &messages)
            .json(&json!({"text": "Hello"}))
    };
    post().refused(409, "conversation-archived").await;
    let back = app
        .ask(&ada, Method::PATCH, &path)
        .json(&json!({"status": "active"}));
    back.expect(200).await;
    post().expect(202).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_about_a_plan_of_its_owner_or_it_is_not_started() {
    let app = TestApp::start_quiet().await;
    let (ada, bob) = (app.register("ada").await, app.register("bob").await);
    let plan = app.ask(&ada, Method::POST, "/v1/plans");
    let plan = plan.json(&json!({"title": "The bakery"})).expect(201).await;
    let about = |plan: &str| json!({"copilot": "growth_engine", "plan_id": plan});
    // At once, whether or not a replica knows the plan by now.
    let started = start(&app, &ada, about(&plan.id())).await;
    assert_eq!(started.body["plan_id"], plan.body["id"]);
    start(&app, &ada, json!({"copilot": "growth_engine"})).await;
    let list = format!("/v1/conversations?plan_id={}", plan.id());
    let list = app.ask(&ada, Method::GET, &list).at(started.position());
    assert_eq!(list.expect(200).await.body["items"], json!([started.body]));
    for (user, plan) in [
        (&bob, plan.id()),
        (&ada, "0190b5a4-7c3e-7000-8000-000000000000".to_owned()),
    ] {
        let ask = app.ask(user, Method::POST, "/v1/conversations");
        let refused = ask.json(&about(&plan)).refused(404, "not-found").await;
        assert_eq!(refused.body["errors"][0]["field"], "plan_id");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_reply_stops_and_keeps_what_was_written_of_it() {
    let app = TestApp::start_with(SLOW).await;
    let ada = app.register("ada").await;
    let started = start(&app, &ada, json!({"copilot": "growth_engine"})).await;
    let path = format!("/v1/conversations/{}", started.id());
    let messages = format!("{path}/messages");
    let post = || {
        let ask = app.ask(&ada, Method::POST, &messages);
        ask.json(&json!({"text": "I want to open a bakery in Graz."}))
    };
    let mut stream = crate::sse::Sse::open(
        &app.http,
        app.url("/v1/stream"),
        &ada.token,
        Some(started.position()),
    )
    .await;
    let posted = post().expect(202).await;
    let reply = posted.body["reply"]["id"].as_str().unwrap().to_owned();
    let delta = stream.next_named("reply.delta").await;
    let shown = delta.data["text"].as_str().unwrap().to_owned();

    let cancel = || {
        app.ask(
            &ada,
            Method::POST,
            &format!("{path}/replies/{reply}/cancel"),
        )
    };
    let cancelled = cancel().expect(202).await;
    assert_eq!(cancelled.body["reply"]["status"], "cancelled");
    assert_eq!(cancelled.body["position"], cancelled.position());
    stream.next_named("conversation.reply_cancelled").await;
    let part = stream
        .next_named("conversation.partial_reply_recorded")
        .await;
    let text = part.data["payload"]["text"].as_str().unwrap();
    assert!(text.starts_with(&shown), "{text:?} begins with {shown:?}");
    let transcript = app.get(&ada, &messages, part.id.unwrap()).await;
    let item = &transcript["items"][1];
    assert_eq!(
        (&item["status"], &item["text"]),
        (&json!("cancelled"), &json!(text))
    );
    // Cancelled again, and with that nothing more happens to it.
    let again = cancel().expect(202).await;
    assert_eq!(again.body["reply"]["text"], text);
    assert_eq!(again.position(), part.id.unwrap());
    // The way is free for the next message.
    post().expect(202).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_written_again_and_rated() {
    let app = TestApp::start_with(UNPACED).await;
    let ada = app.register("ada").await;
    let started = start(&app, &ada, json!({"copilot": "growth_engine"})).await;
    let path = format!("/v1/conversations/{}", started.id());
    let messages = format!("{path}/messages");
    let post = app
        .ask(&ada, Method::POST, &messages)
        .json(&json!({"text": "Hello"}));
    let posted = post.expect(202).await;
    let first = posted.body["reply"]["id"].as_str().unwrap().to_owned();
    let is_complete = async |reply: &str| {
        let transcript = app.get(&ada, &messages, posted.position()).await;
        let items = transcript["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["id"] == *reply);
        found.is_some_and(|item| item["status"] == "complete")
    };
    until("the reply is there", async || is_complete(&first).await).await;
    let again = app.ask(
        &ada,
        Method::POST,
        &format!("{path}/replies/{first}/regenerate"),
    );
    let again = again.header("Idempotency-Key", "r-1").expect(202).await;
    let second = again.body["reply"]["id"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    assert_eq!(again.body["reply"]["status"], "requested");
    assert_eq!(again.body["reply"]["replaces"], first);
    until("the second reply is there", async || {
        is_complete(&second).await
    })
    .await;
    let replayed = app.ask(
        &ada,
        Method::POST,
        &format!("{path}/replies/{first}/regenerate"),
    );
    let replayed = replayed.header("Idempotency-Key", "r-1").expect(202).await;
    assert_eq!(replayed.body, again.body);
    let older = app.ask(
        &ada,
        Method::POST,
        &format!("{path}/replies/{first}/regenerate"),
    );
    older.refused(409, "reply-not-last").await;

    let rating = format!("{path}/replies/{second}/rating");
    let rate = |body: Value| app.ask(&ada, Method::PUT, &rating).json(&body);
    rate(json!({"rating": "up", "comment": "Clear"}))
        .expect(204)
        .await;
    let rated = rate(json!({"rating": "down"})).expect(204).await;
    rate(json!({"rating": "sideways"}))
        .refused(422, "invalid-body")
        .await;
    let transcript = app.get(&ada, &messages, rated.position()).await;
    assert_eq!(transcript["items"][2]["rating"], "down");
    assert_eq!(transcript["items"][2]["replaces"], first);
    assert_eq!(transcript["items"][1].get("rating"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_reply_is_not_there() {
    let app = TestApp::start_quiet().await;
    let (ada, bob) = (app.register("ada").await, app.register("bob").await);
    let started = start(&app, &ada, json!({"copilot": "growth_engine"})).await;
    let path = format!("/v1/conversations/{}", started.id());
    let post = app.ask(&ada, Method::POST, &format!("{path}/messages"));
    let posted = post.json(&json!({"text": "Hello"})).expect(202).await;
    let theirs = posted.body["reply"]["id"].as_str().unwrap();
    for (user, reply) in [
        (&bob, theirs),
        (&bob, "0190b5a4-7c3e-7000-8000-000000000000"),
        (&ada, "0190b5a4-7c3e-7000-8000-000000000000"),
        (&ada, "7"),
    ] {
        let replies = format!("{path}/replies/{reply}");
        for ask in [
            app.ask(user, Method::POST, &format!("{replies}/cancel")),
            app.ask(user, Method::POST, &format!("{replies}/regenerate")),
            app.ask(user, Method::PUT, &format!("{replies}/rating"))
                .json(&json!({"rating": "up"})),
        ] {
            ask.refused(404, "not-found").await;
        }
    }
    let file = app
        .ask(&bob, Method::PATCH, &path)
        .json(&json!({"title": "Mine"}));
    let file = file.header("If-Match", "\"999\"");
    file.refused(404, "not-found").await;
    // Awaited still: nobody has stopped it.
    let rate = app.ask(
        &ada,
        Method::PUT,
        &format!("{path}/replies/{theirs}/rating"),
    );
    let rate = rate.json(&json!({"rating": "up"}));
    rate.refused(409, "nothing-to-rate").await;
}
