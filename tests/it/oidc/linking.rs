//! An identity and an account that was opened otherwise: never joined unless their owner asks.

use serde_json::{Value, json};

use super::browser::Browser;
use super::provider::Person;
use super::{ADA, Scene};
use crate::app::TestUser;

impl Scene {
    /// Sends the browser of `user`, who is signed in, to the provider to link an identity, and answers
    /// with the address by which it comes back.
    async fn way_back_to_link(&self, user: &TestUser, browser: &mut Browser) -> String {
        let link = self.app.http.post(self.app.url("/v1/auth/oidc/small/link"));
        let link = link
            .bearer_auth(&user.token)
            .json(&json!({"return_to": "/settings"}));
        let response = link.send().await.unwrap();
        assert_eq!(response.status(), 200);
        browser.keep(&response);
        let departure: Value = response.json().await.unwrap();
        browser
            .sent_by(departure["authorize_url"].as_str().unwrap())
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_the_same_address_is_not_entered_but_linked_by_its_owner() {
    let scene = Scene::set().await;
    // Whoever this is: nobody has made sure that the address is theirs.
    let ada = scene.app.register("ada").await;
    let head = scene.head().await;
    let mut browser = Browser::new();
    let back = scene.way_back(&mut browser).await;
    let refused = browser.refused_by(&back).await;
    assert_eq!(refused, (409, "link-required".to_owned()));
    assert!(!browser.cookies.contains_key("fido"));
    assert_eq!(scene.head().await, head);

    let back = scene.way_back_to_link(&ada, &mut browser).await;
    assert_eq!(browser.sent_by(&back).await, scene.app.url("/settings"));
    assert!(
        !browser.cookies.contains_key("fido"),
        "linking signs nobody in"
    );
    let me = scene.app.get(&ada, "/v1/me", scene.head().await).await;
    assert_eq!(me["identities"], json!(["small"]));

    // From now on it is a way in.
    scene.sign_in(&mut browser).await;
    let entered = scene.me(&mut browser, 0).await;
    assert_eq!(entered["id"], me["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_belongs_to_one_account_and_an_account_has_one_of_each_provider() {
    let scene = Scene::set().await;
    scene.sign_in(&mut Browser::new()).await;
    let bob = scene.app.register("bob").await;
    let mut browser = Browser::new();
    let back = scene.way_back_to_link(&bob, &mut browser).await;
    let refused = browser.refused_by(&back).await;
    assert_eq!(refused, (409, "identity-taken".to_owned()));

    for (subject, expected) in [("bob", None), ("bob", None), ("bobby", Some("conflict"))] {
        scene.provider.lets_in(Person { subject, ..ADA });
        let back = scene.way_back_to_link(&bob, &mut browser).await;
        match expected {
            None => drop(browser.sent_by(&back).await),
            Some(problem) => {
                let refused = browser.refused_by(&back).await;
                assert_eq!(refused, (409, problem.to_owned()));
            }
        }
    }
    let head = scene.head().await;
    let me = scene.app.get(&bob, "/v1/me", head).await;
    assert_eq!(me["identities"], json!(["small"]), "linked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_signed_in_can_link() {
    let scene = Scene::set().await;
    let link = scene
        .app
        .http
        .post(scene.app.url("/v1/auth/oidc/small/link"));
    let response = link.json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_password_erases_the_account_after_signing_in_again() {
    let scene = Scene::set().await;
    let mut browser = Browser::new();
    scene.sign_in(&mut browser).await;
    let old = browser.cookies["fido"].clone();
    let erase = |token: String| {
        let erase = scene.app.http.delete(scene.app.url("/v1/me"));
        erase.bearer_auth(token).json(&json!({})).send()
    };
    sqlx::query("update auth.sessions set created_at = created_at - interval '6 minutes'")
        .execute(&scene.app.ground.pool().await)
        .await
        .unwrap();
    let response = erase(old.clone()).await.unwrap();
    assert_eq!(response.status(), 403);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/sign-in-again");

    scene.sign_in(&mut browser).await;
    let response = erase(browser.cookies["fido"].clone()).await.unwrap();
    assert_eq!(response.status(), 202);

    // The identity is free again: whoever comes back is somebody new.
    scene.sign_in(&mut browser).await;
    let head = scene.head().await;
    let me = scene.me(&mut browser, head).await;
    assert_eq!(me["email"], "ada@example.com");
}
