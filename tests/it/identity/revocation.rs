//! A session that ends on one instance ends on all.

use std::time::{Duration, Instant};

use fido_commands::ambient;
use fido_commands::auth::{Auth, Revocation, Session, SessionToken};
use fido_nats::Nats;
use fido_nats::access::Role;
use fido_nats::revocations::Heard;
use reqwest::Method;
use tokio::time::timeout;

use super::{ask, sign_in};
use crate::app::TestApp;
use crate::ground::Ground;
use crate::processes::Served;
use crate::sse::Sse;
use crate::until::{PATIENCE, until, within};

/// How soon everybody must know.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn me(app: &TestApp, base: &str, token: &str) -> u16 {
    ask(&app.http, Method::GET, format!("{base}/v1/me"), token, None)
        .await
        .0
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_at_one_instance_is_out_at_the_other_within_a_second() {
    let app = TestApp::start_quiet().await;
    app.register("ada").await;
    let other = Served::start(&app.ground).await;
    let (phone, laptop) = (sign_in(&app, "ada").await, sign_in(&app, "ada").await);
    // Both instances know both devices well.
    for _ in 0..10 {
        for device in [&phone, &laptop] {
            for base in [&app.url(""), &other.base] {
                until("the replica knows the account", async || {
                    me(&app, base, &device.token).await == 200
                })
                .await;
            }
        }
    }
    let out = app.url("/v1/sessions/current");
    let (status, _) = ask(&app.http, Method::DELETE, out, &phone.token, None).await;
    assert_eq!(status, 204);
    assert_eq!(
        me(&app, &app.url(""), &phone.token).await,
        401,
        "here at once"
    );
    within(
        AT_ONCE,
        "the other instance refuses the device",
        async || me(&app, &other.base, &phone.token).await == 401,
    )
    .await;
    assert_eq!(me(&app, &other.base, &laptop.token).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_at_another_instance_ends_with_its_session() {
    let app = TestApp::start_quiet().await;
    app.register("ada").await;
    let other = Served::start(&app.ground).await;
    let (phone, laptop) = (sign_in(&app, "ada").await, sign_in(&app, "ada").await);
    let url = format!("{}/v1/stream", other.base);
    let mut of_phone = Sse::open(&app.http, url.clone(), &phone.token, None).await;
    let mut of_laptop = Sse::open(&app.http, url, &laptop.token, None).await;
    of_phone.next_named("hello").await;
    of_laptop.next_named("hello").await;
    let out = app.url("/v1/sessions/current");
    ask(&app.http, Method::DELETE, out, &phone.token, None).await;
    let goodbye = of_phone.next_named("goodbye").await;
    assert_eq!(goodbye.data["reason"], "signed_out");
    assert!(of_phone.read().await.is_none());
    app.start_conversation(&laptop).await;
    of_laptop
        .next_named("conversation.conversation_started")
        .await;
}

async fn someone(ground: &Ground) -> (Auth, Session, SessionToken) {
    let auth = Auth::new(ground.store().await);
    let account_id = ambient::new_id();
    let opened = auth.open_session(account_id, "a phone").await.unwrap();
    let session_id = opened.session_id;
    let session = Session {
        session_id,
        account_id,
    };
    (auth, session, opened.token)
}

/// Ends all sessions where nobody hears of it.
async fn end_in_silence(ground: &Ground) {
    sqlx::query("delete from auth.sessions")
        .execute(&ground.pool().await)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_is_believed_as_long_as_somebody_vouches_for_it() {
    let ground = Ground::prepare().await;
    let (auth, session, token) = someone(&ground).await;
    let minute = Duration::from_secs(60);
    auth.trust_memory_until(Instant::now() + minute);
    assert_eq!(auth.session(&token).await.unwrap(), Some(session));
    end_in_silence(&ground).await;
    assert_eq!(
        auth.session(&token).await.unwrap(),
        Some(session),
        "remembered"
    );
    auth.distrust_memory();
    assert_eq!(auth.session(&token).await.unwrap(), None, "asked for");
    auth.trust_memory_until(Instant::now() + minute);
    assert_eq!(auth.session(&token).await.unwrap(), None, "begun anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_is_not_watched() {
    let ground = Ground::prepare().await;
    let (auth, session, _) = someone(&ground).await;
    let mut watch = auth.watch(session).await.unwrap().expect("a session");
    let still = timeout(Duration::from_millis(10), watch.ended()).await;
    assert!(still.is_err(), "it goes on");
    end_in_silence(&ground).await;
    assert!(auth.watch(session).await.unwrap().is_none());
    let account_id = session.account_id;
    auth.heard(Revocation::All { account_id });
    timeout(PATIENCE, watch.ended()).await.expect("the end");
}

/// A listener whose line breaks says so, and vouches for nothing before its heartbeat is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_line_is_told_and_a_new_one_vouches_for_itself_alone() {
    let mut ground = Ground::prepare().await;
    let seed = ground.seeds().of(Role::Api).unwrap();
    let url = ground.addresses.nats_url.clone();
    let connect = async || Nats::connect(&url, Role::Api, Some(&seed)).await.unwrap();
    let (listening, telling) = (connect().await, connect().await);
    let mut heard = listening.revocations().await.unwrap();
    let mut next = async || timeout(PATIENCE, heard.next()).await.unwrap().unwrap();
    assert!(matches!(next().await, Heard::Alive(_)));
    let account_id = ambient::new_id();
    let revocation = Revocation::All { account_id };
    telling.publish_revocation(revocation).await.unwrap();
    while next().await != Heard::Revoked(revocation) {}

    ground.nats.kill().await.unwrap();
    while next().await != Heard::Broken {}
    let broken = Instant::now();
    ground.nats.restart().await.unwrap();
    let alive = loop {
        if let Heard::Alive(sent) = next().await {
            break sent;
        }
    };
    assert!(alive > broken, "a heartbeat of the new line");
    telling.publish_revocation(revocation).await.unwrap();
    while next().await != Heard::Revoked(revocation) {}
}
