//! Replacing a password, with the old one or by mail.

use fido_api::{MailConfig, Mailer};
use reqwest::Method;
use serde_json::{Value, json};

use super::post::MailServer;
use super::{PASSWORD, ask, client_at, sign_in, told, try_to_sign_in};
use crate::app::{TestApp, TestUser};
use crate::until::until;

const ADA: &str = "ada@example.com";
const NEW: &str = "battery staple";

async fn change(app: &TestApp, user: &TestUser, key: &str, body: Value) -> reqwest::Response {
    app.http
        .put(app.url("/v1/me/password"))
        .bearer_auth(&user.token)
        .header("Idempotency-Key", key)
        .json(&body)
        .send()
        .await
        .unwrap()
}

async fn is_signed_in(app: &TestApp, user: &TestUser) -> bool {
    let url = app.url("/v1/sessions");
    ask(&app.http, Method::GET, url, &user.token, None).await.0 == 200
}

async fn comes_in_with(app: &TestApp, password: &str) -> bool {
    let (status, problem, _) = try_to_sign_in(&app.http, &app.url(""), ADA, password).await;
    assert!([201, 401].contains(&status), "{problem}");
    status == 201
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_the_password_replaces_it_and_every_other_device_is_out() {
    let app = TestApp::start_quiet().await;
    app.register("ada").await;
    let (phone, laptop) = (sign_in(&app, "ada").await, sign_in(&app, "ada").await);

    let wrong = json!({"current_password": NEW, "new_password": NEW});
    let refused = change(&app, &phone, "k0", wrong).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.json::<Value>().await.unwrap()["type"],
        "/problems/wrong-credentials"
    );
    let short = json!({"current_password": PASSWORD, "new_password": "short"});
    assert_eq!(change(&app, &phone, "k0", short).await.status(), 422);
    assert!(is_signed_in(&app, &laptop).await, "nothing has changed");

    let right = || json!({"current_password": PASSWORD, "new_password": NEW});
    let changed = change(&app, &phone, "k1", right()).await;
    assert_eq!(changed.status(), 204);
    let position = changed.headers()["fido-position"].clone();
    assert!(is_signed_in(&app, &phone).await, "this device goes on");
    assert!(!is_signed_in(&app, &laptop).await);
    assert!(!comes_in_with(&app, PASSWORD).await);
    assert!(comes_in_with(&app, NEW).await);

    // The answer was lost, and the request is sent again.
    let again = change(&app, &phone, "k1", right()).await;
    assert_eq!(again.status(), 204);
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.headers()["fido-position"], position);

    let told = told(&app, phone.account_id).await;
    let changed = told.iter().filter(|(name, _)| name == "password_changed");
    let changed: Vec<_> = changed.map(|(_, payload)| payload).collect();
    assert_eq!(changed, [&json!({"proof": "old_password"})]);
    let (_, out) = told.iter().find(|(name, _)| name == "signed_out").unwrap();
    assert_eq!(out["reason"], "password_changed");
    // The one of the registration, too.
    assert_eq!(out["session_ids"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_does_not_guess_the_password_either() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let guess = |guess: &str| json!({"current_password": guess, "new_password": NEW});
    for n in 0..5 {
        let guess = guess(&format!("wrong horse {n}"));
        let refused = change(&app, &ada, &format!("k{n}"), guess).await;
        assert_eq!(refused.status(), 401);
    }
    let throttled = change(&app, &ada, "k9", guess(PASSWORD)).await;
    assert_eq!(throttled.status(), 429);
    assert!(throttled.headers().contains_key("retry-after"));
}

async fn forget(app: &TestApp, email: &str) {
    let body = json!({"email": email});
    let url = app.url("/v1/password-resets");
    let (status, problem) = ask(&app.http, Method::POST, url, "", Some(body)).await;
    assert_eq!(status, 202, "{problem}");
}

async fn complete(app: &TestApp, token: &str, password: &str) -> (u16, Value) {
    let body = json!({"token": token, "new_password": password});
    let url = app.url("/v1/password-resets");
    ask(&app.http, Method::PUT, url, "", Some(body)).await
}

fn mail_by(server: &MailServer) -> MailConfig {
    let url = format!("smtp://{}", server.address);
    MailConfig {
        mailer: Some(Mailer::smtp(&url, "Fido <fido@example.org>").unwrap()),
        reset_page: Some("https://app.example.org/new-password".to_owned()),
    }
}

/// The token in the mail's text.
fn token(text: &str) -> String {
    // Long lines come folded (quoted-printable).
    let text = text.replace("=\n", "").replace("=3D", "=");
    let (_, token) = text.split_once("/new-password#token=").expect("the page");
    token.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_mail_sets_a_new_password_once() {
    let mut server = MailServer::start(1).await;
    let app = TestApp::start_mailing(mail_by(&server)).await;
    let ada = app.register("ada").await;
    forget(&app, "nobody@example.com").await;
    // Whatever was typed, the mail goes to the address as it was registered.
    forget(&app, "ADA@example.com").await;
    let mail = server.mail().await;
    assert_eq!(mail.to, ADA);
    assert!(
        mail.text.contains("From: Fido <fido@example.org>")
            || mail.text.contains("fido@example.org")
    );
    let token = token(&mail.text);
    let stored: i64 = sqlx::query_scalar(
        "select count(*) from auth.password_resets where encode(token_hash, 'escape') like '%fidoreset%'",
    )
    .fetch_one(&app.ground.pool().await)
    .await
    .unwrap();
    assert_eq!(stored, 0, "hashed alone");

    let (status, problem) = complete(&app, "fidoreset_AAAA", NEW).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("token"))
    );
    assert_eq!(
        complete(&app, &token, "short").await.0,
        422,
        "and not used up"
    );
    assert!(is_signed_in(&app, &ada).await);
    assert_eq!(complete(&app, &token, NEW).await.0, 204);
    assert!(!is_signed_in(&app, &ada).await, "every device is out");
    assert!(comes_in_with(&app, NEW).await);
    assert!(!comes_in_with(&app, PASSWORD).await);
    assert_eq!(complete(&app, &token, PASSWORD).await.0, 422, "used up");
    assert!(server.is_empty(), "nobody has no mail");

    let names: Vec<String> = told(&app, ada.account_id)
        .await
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for expected in ["password_reset_requested", "password_changed", "signed_out"] {
        assert!(names.iter().any(|name| name == expected), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_an_hour_and_three_mails_are_enough() {
    let mut server = MailServer::start(0).await;
    let app = TestApp::start_mailing(mail_by(&server)).await;
    app.register("ada").await;
    for _ in 0..5 {
        forget(&app, ADA).await;
    }
    let mut last = String::new();
    for _ in 0..3 {
        last = token(&server.mail().await.text);
    }
    let pool = app.ground.pool().await;
    sqlx::query("update auth.password_resets set expires_at = expires_at - interval '1 hour'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(complete(&app, &last, NEW).await.0, 422, "too old");
    // Whoever asks for another account is served after all that was asked for before.
    app.register("bob").await;
    forget(&app, "bob@example.com").await;
    assert_eq!(server.mail().await.to, "bob@example.com");
}

/// An owner whom strangers keep from signing in resets the password, and is in.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_lets_the_owner_in_whatever_strangers_have_tried() {
    let mut server = MailServer::start(0).await;
    let app = TestApp::start_mailing(mail_by(&server)).await;
    app.register("ada").await;
    for _ in 0..6 {
        try_to_sign_in(&app.http, &app.url(""), ADA, NEW).await;
    }
    let mut strangers = tokio::task::JoinSet::new();
    for n in 1..=20 {
        let (stranger, base) = (client_at([127, 0, 1, n]), app.url(""));
        strangers.spawn(async move { try_to_sign_in(&stranger, &base, ADA, NEW).await.0 });
    }
    strangers.join_all().await;
    let (status, ..) = try_to_sign_in(&app.http, &app.url(""), ADA, PASSWORD).await;
    assert_eq!(status, 429);
    forget(&app, ADA).await;
    let token = token(&server.mail().await.text);
    assert_eq!(complete(&app, &token, NEW).await.0, 204);
    assert!(comes_in_with(&app, NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_mail_server_the_mail_is_printed() {
    let (print, printed) = std::sync::mpsc::channel();
    let mail = MailConfig {
        mailer: Some(Mailer::printing(move |text| {
            print.send(text.to_owned()).unwrap();
        })),
        reset_page: None,
    };
    let app = TestApp::start_mailing(mail).await;
    app.register("ada").await;
    forget(&app, ADA).await;
    let mut text = None;
    until("the mail is printed", async || {
        text = printed.try_recv().ok();
        text.is_some()
    })
    .await;
    let text = text.unwrap();
    let token = text
        .split_whitespace()
        .find(|word| word.starts_with("fidoreset_"));
    assert_eq!(complete(&app, token.expect("a token"), NEW).await.0, 204);
}
