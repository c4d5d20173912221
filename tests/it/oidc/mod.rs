//! Signing in with what another provider vouches for, against a small real one.

mod attacks;
mod browser;
mod linking;
mod provider;

use fido_api::{ClientSecret, Oidc, OidcSettings, ProviderSettings};
use fido_domain::account::ProviderName;
use serde_json::Value;

use crate::app::TestApp;
use browser::Browser;
use provider::{CLIENT, Person, Provider, SECRET};

const ADA: Person = Person {
    subject: "ada-at-the-provider",
    email: "ada@example.com",
    email_verified: true,
};

/// An app, and a provider that lets Ada in.
struct Scene {
    app: TestApp,
    provider: Provider,
}

impl Scene {
    async fn set() -> Self {
        let provider = Provider::start(ADA).await;
        let issuer = provider.issuer();
        let app = TestApp::start_with_provider(|base| known(&issuer, base)).await;
        Self { app, provider }
    }

    fn start(&self, query: &str) -> String {
        self.app.url(&format!("/v1/auth/oidc/small/start{query}"))
    }

    /// Signs in, and answers with where the browser lands.
    async fn sign_in(&self, browser: &mut Browser) -> String {
        let back = self.way_back(browser).await;
        browser.sent_by(&back).await
    }

    /// Goes to the provider, and answers with the address by which it sends the browser back.
    async fn way_back(&self, browser: &mut Browser) -> String {
        let there = browser.sent_by(&self.start("?return_to=/plans")).await;
        browser.sent_by(&there).await
    }

    async fn me(&self, browser: &mut Browser, position: i64) -> Value {
        let token = browser.cookies["fido"].clone();
        let user = crate::app::TestUser {
            account_id: uuid::Uuid::nil(),
            token,
        };
        self.app.get(&user, "/v1/me", position).await
    }

    async fn head(&self) -> i64 {
        // What is told of the door comes a moment later, and is nothing that anybody asked for.
        sqlx::query_scalar(
            "select coalesce(max(position), 0) from events where aggregate_type <> 'access'",
        )
        .fetch_one(&self.app.ground.pool().await)
        .await
        .unwrap()
    }
}

/// The provider at `issuer`, as an app at `base` knows it.
fn known(issuer: &str, base: &str) -> Oidc {
    let small = ProviderSettings {
        name: ProviderName::parse("small").unwrap(),
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(ClientSecret::new(SECRET)),
    };
    let settings = OidcSettings {
        providers: vec![small],
        public_url: base.parse().unwrap(),
        return_origins: vec!["http://localhost:5173".parse().unwrap()],
    };
    Oidc::try_new(settings).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_gets_an_account_and_comes_back_to_it() {
    let scene = Scene::set().await;
    let mut browser = Browser::new();
    let landed = scene.sign_in(&mut browser).await;
    assert_eq!(landed, scene.app.url("/plans"));
    assert!(
        !browser.cookies.contains_key("fido-oidc"),
        "it is forgotten"
    );
    let head = scene.head().await;
    let me = scene.me(&mut browser, head).await;
    assert_eq!(me["email"], "ada@example.com");
    assert_eq!(me["display_name"], "Ada Lovelace");
    assert_eq!(me["identities"], serde_json::json!(["small"]));

    let mut phone = Browser::new();
    scene.sign_in(&mut phone).await;
    let again = scene.me(&mut phone, head).await;
    assert_eq!(again["id"], me["id"], "the same account");
    assert_ne!(
        phone.cookies["fido"], browser.cookies["fido"],
        "another session"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_takes_the_browser_back() {
    let scene = Scene::set().await;
    let issuer = scene.provider.issuer();
    // As behind a load balancer: another process, reached under the same address.
    let base = scene.app.url("");
    let other = scene.app.another_instance(|_| known(&issuer, &base)).await;
    let mut browser = Browser::new();
    let back = scene.way_back(&mut browser).await;
    let there = back.replacen(&base, &other, 1);
    assert_ne!(there, back);
    assert_eq!(browser.sent_by(&there).await, scene.app.url("/plans"));
    let head = scene.head().await;
    assert_eq!(
        scene.me(&mut browser, head).await["email"],
        "ada@example.com"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_provider_has_made_since_is_asked_for() {
    let scene = Scene::set().await;
    scene.sign_in(&mut Browser::new()).await;
    assert_eq!(scene.provider.keys_asked(), 1);
    scene.sign_in(&mut Browser::new()).await;
    assert_eq!(scene.provider.keys_asked(), 1, "it is remembered");
    scene.provider.rotates();
    // Not at once: whoever sends made-up keys would have the provider asked each time.
    crate::until::until("the new key counts", async || {
        let mut browser = Browser::new();
        let back = scene.way_back(&mut browser).await;
        browser.open(&back).await.status() == 303
    })
    .await;
    assert_eq!(scene.provider.keys_asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_land_here_or_where_they_may_and_nowhere_else() {
    let scene = Scene::set().await;
    for (asked, lands) in [
        ("", scene.app.url("/")),
        ("?return_to=/plans%3Fa=1", scene.app.url("/plans?a=1")),
        (
            "?return_to=http://localhost:5173/home",
            "http://localhost:5173/home".to_owned(),
        ),
    ] {
        let mut browser = Browser::new();
        let there = browser.sent_by(&scene.start(asked)).await;
        let back = browser.sent_by(&there).await;
        assert_eq!(browser.sent_by(&back).await, lands);
    }
    for elsewhere in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
    ] {
        let url = scene.start(&format!("?return_to={elsewhere}"));
        let refused = Browser::new().refused_by(&url).await;
        assert_eq!(
            refused,
            (400, "invalid-parameter".to_owned()),
            "{elsewhere}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_nobody_knows_is_not_found() {
    let scene = Scene::set().await;
    for path in [
        "/v1/auth/oidc/large/start",
        "/v1/auth/oidc/large/callback?state=x&code=y",
    ] {
        let refused = Browser::new().refused_by(&scene.app.url(path)).await;
        assert_eq!(refused, (404, "not-found".to_owned()));
    }
}
