//! `Idempotency-Key`: sent twice, done once, and answered alike.

use fido_commands::ambient;
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::app::{TestApp, TestUser, http_client};
use crate::processes::Served;

async fn send(base: &str, user: &TestUser, path: &str, key: &str, body: &Value) -> Response {
    http_client()
        .post(format!("{base}{path}"))
        .bearer_auth(&user.token)
        .header("Idempotency-Key", key)
        .json(body)
        .send()
        .await
        .unwrap()
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gets_the_same_answer_and_another_body_is_refused() {
    let app = TestApp::start_quiet().await;
    let (ada, bob) = (app.register("ada").await, app.register("bob").await);
    let base = app.url("");
    let new = json!({"copilot": "growth_engine", "goal": "More customers"});
    let first = send(&base, &ada, "/v1/conversations", "key-1", &new).await;
    assert_eq!(first.status(), 201);
    assert_eq!(header(&first, "idempotent-replayed"), None);
    let (place, position) = (header(&first, "location"), header(&first, "fido-position"));
    let first: Value = first.json().await.unwrap();

    let again = send(&base, &ada, "/v1/conversations", "key-1", &new).await;
    assert_eq!(again.status(), 201);
    assert_eq!(
        header(&again, "idempotent-replayed").as_deref(),
        Some("true")
    );
    assert_eq!(header(&again, "location"), place);
    assert_eq!(header(&again, "fido-position"), position);
    assert_eq!(again.json::<Value>().await.unwrap(), first);

    // Another request under the same key: another body, another path.
    let other = json!({"copilot": "growth_engine"});
    let messages = format!(
        "/v1/conversations/{}/messages",
        first["id"].as_str().unwrap()
    );
    let text = json!({"text": "Hello"});
    for (path, body) in [("/v1/conversations", &other), (messages.as_str(), &text)] {
        let refused = send(&base, &ada, path, "key-1", body).await;
        assert_eq!(refused.status(), 422);
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/idempotency-key-reused");
    }
    // A key means something within an account only.
    let his = send(&base, &bob, "/v1/conversations", "key-1", &new).await;
    assert_eq!(header(&his, "idempotent-replayed"), None);
    assert_ne!(his.json::<Value>().await.unwrap()["id"], first["id"]);
    // What is no key is named, and nothing happens.
    let wrong = send(&base, &ada, "/v1/conversations", "two words", &new).await;
    assert_eq!(wrong.status(), 400);
    let problem: Value = wrong.json().await.unwrap();
    assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");

    // A refusal is no effect: the key is still good for when the request would be accepted.
    assert_eq!(
        send(&base, &ada, &messages, "key-2", &text).await.status(),
        202
    );
    let busy = send(&base, &ada, &messages, "key-3", &text).await;
    assert_eq!(busy.status(), 409);
    // A message posted under its key is answered again although a reply is open by now.
    let again = send(&base, &ada, &messages, "key-2", &text).await;
    assert_eq!(again.status(), 202);
    assert_eq!(
        header(&again, "idempotent-replayed").as_deref(),
        Some("true")
    );
    assert_eq!(
        again.json::<Value>().await.unwrap()["message"]["text"],
        "Hello"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_duplicates_at_two_processes_one_is_done() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let (one, two) = tokio::join!(Served::start(&app.ground), Served::start(&app.ground));
    let key = ambient::new_id().to_string();
    let new = json!({"copilot": "growth_engine", "goal": "A secret goal"});
    let answers = (0..24).map(|n| {
        let base = if n % 2 == 0 { &one.base } else { &two.base };
        let (ada, key, new) = (&ada, &key, &new);
        async move {
            let answer = send(base, ada, "/v1/conversations", key, new).await;
            assert_eq!(answer.status(), 201);
            let replayed = header(&answer, "idempotent-replayed").is_some();
            let body: Value = answer.json().await.unwrap();
            (body["id"].as_str().unwrap().to_owned(), replayed)
        }
    });
    let answers = futures::future::join_all(answers).await;
    assert_eq!(answers.iter().filter(|(_, replayed)| !replayed).count(), 1);
    assert!(
        answers.iter().all(|(id, _)| *id == answers[0].0),
        "{answers:?}"
    );

    let pool = PgPool::connect(&app.ground.addresses.events_url)
        .await
        .unwrap();
    let rows = sqlx::query("select r::text as row from receipts r")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    let row: String = rows[0].try_get("row").unwrap();
    assert!(!row.contains(&key) && !row.contains("secret"), "{row}");
}
