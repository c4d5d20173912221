//! Whatever is wrong with a request, the answer is a problem that names it, and nothing changes.

mod bodies;
mod paths;

use fido_commands::log::Log;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::app::{TestApp, TestUser};
use crate::case::Case;

/// Two people and what each of them has.
struct Scene {
    app: TestApp,
    ada: TestUser,
    of_ada: Uuid,
    of_bob: Uuid,
    session_of_bob: String,
    bob: TestUser,
    events: PgPool,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start().await;
        let (ada, bob) = (app.register("ada").await, app.register("bob").await);
        let of_ada = app.start_conversation(&ada).await;
        let of_bob = app.start_conversation(&bob).await;
        let events = PgPool::connect(&app.ground.addresses.events_url)
            .await
            .unwrap();
        let head = Log::new(events.clone()).head().await.unwrap();
        // From now on every replica knows all of it.
        app.get(&ada, "/v1/me", head).await;
        let sessions = app.get(&bob, "/v1/sessions", 0).await;
        Self {
            session_of_bob: sessions["items"][0]["id"].as_str().unwrap().to_owned(),
            app,
            ada,
            of_ada,
            of_bob,
            bob,
            events,
        }
    }

    /// Everything that a bad request might have changed. What is told of its refusal does not count.
    async fn state(&self) -> Value {
        let last: i64 = sqlx::query_scalar(
            "select coalesce(max(position), 0) from events where aggregate_type <> 'access'",
        )
        .fetch_one(&self.events)
        .await
        .unwrap();
        json!({
            "last": last,
            "sessions of ada": self.app.get(&self.ada, "/v1/sessions", 0).await,
            "sessions of bob": self.app.get(&self.bob, "/v1/sessions", 0).await,
        })
    }

    async fn check(&self, cases: Vec<Case>) {
        let before = self.state().await;
        for case in cases {
            case.check(&self.app).await;
            assert_eq!(self.state().await, before, "{case} has changed something");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_body_is_named_and_changes_nothing() {
    let scene = Scene::set().await;
    scene.check(bodies::cases(&scene)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_path_parameter_or_header_is_named_and_changes_nothing() {
    let scene = Scene::set().await;
    scene.check(paths::cases(&scene)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_valid_token() {
    let scene = Scene::set().await;
    scene.check(paths::without_a_token(&scene)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_once_and_a_wrong_password_opens_nothing() {
    let scene = Scene::set().await;
    let taken = json!({
        "email": "ADA@example.com", "password": "battery staple", "display_name": "Ada again",
    });
    let wrong = json!({"email": "ada@example.com", "password": "battery staple"});
    let unknown = json!({"email": "eve@example.com", "password": "battery staple"});
    let cases = vec![
        Case::post("/v1/accounts")
            .json(&taken)
            .expect(409, "email-taken")
            .naming("email"),
        Case::post("/v1/sessions")
            .json(&wrong)
            .expect(401, "wrong-credentials"),
        Case::post("/v1/sessions")
            .json(&unknown)
            .expect(401, "wrong-credentials"),
    ];
    scene.check(cases).await;
}
