//! What the log says of the door: what it names, what it keeps sealed, and that replicas follow.

use fido_commands::log::Log;
use fido_commands::vault::StreamId;
use fido_domain::access::{AccessEvent, NOBODY, StrangerRefusal};
use fido_domain::{Private, Recorded};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PASSWORD, ask, grant, sign_in, told, try_to_sign_in};
use crate::app::{TestApp, TestUser};
use crate::drift::watch;
use crate::replica_scene::Replica;
use crate::until::until;

const ADA: &str = "ada@example.com";

/// Waits until the log says `count` times `name` of `subject`, and answers with what it says.
async fn all_told(app: &TestApp, subject: Uuid, name: &str, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    until(name, async || {
        let told = told(app, subject).await.into_iter();
        let told = told.filter(|(event_type, _)| event_type == name);
        found = told.map(|(_, payload)| payload).collect();
        found.len() >= count
    })
    .await;
    assert_eq!(found.len(), count, "{name}: {found:?}");
    found
}

/// The counts of all sums of this name add up to `count`.
async fn adds_up(app: &TestApp, subject: Uuid, name: &str, matching: Value, count: u64) {
    let mut sum = 0;
    until(name, async || {
        let told = told(app, subject).await.into_iter();
        let told = told.filter(|(event_type, payload)| {
            let fields = matching.as_object().unwrap();
            event_type == name && fields.iter().all(|(field, value)| &payload[field] == value)
        });
        sum = told
            .map(|(_, payload)| payload["count"].as_u64().unwrap())
            .sum();
        sum >= count
    })
    .await;
    assert_eq!(sum, count, "{name} {matching}");
}

async fn events(app: &TestApp) -> Vec<Recorded> {
    let log = Log::new(app.ground.pool().await);
    let events = log.after(0, 1_000).await.unwrap().into_iter();
    events
        .filter(|event| event.aggregate_type == "access")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_and_goes_is_told_with_address_and_device_sealed() {
    let app = TestApp::start_quiet().await;
    let registered = app.register("ada").await;
    let device = sign_in(&app, "ada").await;
    let out = app.url("/v1/sessions/current");
    ask(&app.http, Method::DELETE, out, &device.token, None).await;
    let sessions = app.get(&registered, "/v1/sessions", 0).await;
    let own = sessions["items"][0]["id"].as_str().unwrap();
    let other = sign_in(&app, "ada").await;
    let url = app.url(&format!("/v1/sessions/{own}"));
    ask(&app.http, Method::DELETE, url, &other.token, None).await;

    let account = registered.account_id;
    let came = all_told(&app, account, "signed_in", 2).await;
    assert_eq!(came[0]["way"], "password");
    let left = all_told(&app, account, "signed_out", 2).await;
    assert_eq!(left[0]["session_ids"], json!([came[0]["session_id"]]));
    assert_eq!(left[0]["reason"], "signed_out");
    assert_eq!(left[1]["session_ids"], json!([own]));
    assert_eq!(left[1]["reason"], "revoked");

    let vault = app.ground.vault().await;
    for event in events(&app).await {
        let stored = event.metadata.get().to_owned() + event.payload.get();
        assert!(!stored.contains("127.0.0.1"), "{stored}");
        let mut address = event.metadata().unwrap().address.expect("an address");
        let stream = StreamId::of(&event);
        vault.open_all(vec![(stream, &mut address)]).await.unwrap();
        assert_eq!(address.reveal().unwrap(), "127.0.0.1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_counted_and_never_keep_anybody_waiting() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let base = app.url("");
    for _ in 0..3 {
        try_to_sign_in(&app.http, &base, ADA, "battery staple").await;
        try_to_sign_in(&app.http, &base, "eve@example.com", PASSWORD).await;
    }
    let url = |path: &str| app.url(path);
    let get =
        async |path: &str, token: &str| ask(&app.http, Method::GET, url(path), token, None).await.0;
    for _ in 0..2 {
        assert_eq!(get("/v1/analytics/daily_actives", &ada.token).await, 403);
        assert_eq!(get("/v1/me", "fido_AAAA").await, 401);
        assert_eq!(get("/v1/me", "").await, 401, "which is not told");
    }
    let nothing = format!("/v1/conversations/{}/messages", Uuid::nil());
    let text = json!({"text": "Hello"});
    let (status, _) = ask(
        &app.http,
        Method::POST,
        url(&nothing),
        &ada.token,
        Some(text),
    )
    .await;
    assert_eq!(status, 404);

    let account = ada.account_id;
    let wrong = json!({"reason": "wrong_password"});
    adds_up(&app, account, "sign_in_denied", wrong, 3).await;
    let forbidden = json!({"request": "GET /v1/analytics/{view}"});
    adds_up(&app, account, "access_forbidden", forbidden, 2).await;
    let refused = json!({
        "request": "POST /v1/conversations/{conversation_id}/messages", "problem": "not-found",
    });
    adds_up(&app, account, "command_refused", refused, 1).await;
    let unknown = json!({"refusal": "unknown_account"});
    adds_up(&app, NOBODY, "strangers_refused", unknown, 3).await;
    let token = json!({"refusal": "invalid_token"});
    adds_up(&app, NOBODY, "strangers_refused", token, 2).await;

    // Where a stranger was is sealed, and can be found out.
    let vault = app.ground.vault().await;
    let mut told = events(&app).await.into_iter();
    let mut stranger = told
        .rfind(|event| event.event_type == "strangers_refused")
        .unwrap();
    assert!(!stranger.payload.get().contains("127.0.0.1"));
    vault.open(&mut stranger).await.unwrap();
    let event: AccessEvent = stranger.event().unwrap();
    let AccessEvent::StrangersRefused {
        refusal: StrangerRefusal::InvalidToken | StrangerRefusal::UnknownAccount,
        address: Some(Private::Open(address)),
        ..
    } = event
    else {
        panic!("{event:?}");
    };
    assert_eq!(address.as_str(), "127.0.0.1");
}

async fn analyst(app: &TestApp) -> TestUser {
    let analyst = app.register("analyst").await;
    grant(app, &analyst, "analyst").await;
    analyst
}

#[tokio::test(flavor = "multi_thread")]
async fn what_staff_read_is_in_the_log_before_they_are_answered() {
    let app = TestApp::start_quiet().await;
    let ada = analyst(&app).await;
    for n in 1..=3 {
        let path = format!("/v1/analytics/daily_actives?limit={n}");
        app.get(&ada, &path, 0).await;
        let reads = told(&app, ada.account_id).await;
        let reads: Vec<_> = reads
            .iter()
            .filter(|(name, _)| name == "sensitive_read")
            .collect();
        assert_eq!(reads.len(), n, "at once, one by one");
        let (_, last) = reads.last().unwrap();
        assert_eq!(last["path"], "/v1/analytics/daily_actives");
        assert!(last["query"]["sealed"].is_string(), "{last}");
    }
    let last = events(&app).await.pop().unwrap();
    let actor = last.metadata().unwrap().actor;
    assert_eq!(actor.role, "analyst");
    assert_eq!(actor.account, Some(ada.account_id));
}

/// Access streams are like all others to replicas: listed for auditors, and the same when projected anew.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_list_what_is_told_and_do_not_drift() {
    let app = TestApp::start_quiet().await;
    let ada = analyst(&app).await;
    sign_in(&app, "analyst").await;
    try_to_sign_in(&app.http, &app.url(""), "eve@example.com", PASSWORD).await;
    app.get(&ada, "/v1/analytics/daily_actives", 0).await;
    all_told(&app, ada.account_id, "signed_in", 1).await;
    let last = json!({"refusal": "unknown_account"});
    adds_up(&app, NOBODY, "strangers_refused", last, 1).await;

    let head = Log::new(app.ground.pool().await).head().await.unwrap();
    let replica = Replica::first(&app.ground);
    replica.reaches(head).await;
    let listed: Vec<String> = sqlx::query_scalar(
        "select event_type from fido.audit_timeline where aggregate_type = 'access' order by event_type",
    )
    .fetch_all(&mut replica.as_owner().await)
    .await
    .unwrap();
    assert_eq!(listed, ["sensitive_read", "signed_in", "strangers_refused"]);
    let found = watch(&app, &replica).await.look().await.unwrap().unwrap();
    assert_eq!((found.position, found.differing), (head, 0), "{found:?}");
}
