//! Roles over HTTP: admins grant them and take them back, and both hold from the next request on.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ask, grant};
use crate::app::{TestApp, TestUser};
use crate::processes::Served;
use crate::until::until;

async fn order(
    app: &TestApp,
    by: &TestUser,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let url = app.url(&format!("/v1/admin/accounts/{path}"));
    ask(&app.http, method, url, &by.token, body).await
}

async fn may_read(app: &TestApp, base: &str, user: &TestUser) -> bool {
    let url = format!("{base}/v1/analytics/daily_actives");
    let (status, _) = ask(&app.http, Method::GET, url, &user.token, None).await;
    assert!([200, 403].contains(&status));
    status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_grants_a_role_and_takes_it_back_on_every_instance() {
    let app = TestApp::start_quiet().await;
    let (root, ada) = (app.register("root").await, app.register("ada").await);
    let other = Served::start(&app.ground).await;
    let here = app.url("");
    grant(&app, &root, "admin").await;
    assert!(!may_read(&app, &here, &ada).await);
    assert!(!may_read(&app, &other.base, &ada).await);

    let roles = format!("{}/roles", ada.account_id);
    let grant = json!({"role": "analyst", "reason": "Looks after the figures"});
    let (status, granted) = order(&app, &root, Method::POST, &roles, Some(grant)).await;
    let expected = json!({"account_id": ada.account_id, "roles": ["user", "analyst"]});
    assert_eq!((status, &granted), (200, &expected));
    assert!(may_read(&app, &here, &ada).await, "at once");
    until("it is known elsewhere", async || {
        may_read(&app, &other.base, &ada).await
    })
    .await;

    let analyst = format!("{roles}/analyst");
    for _ in 0..2 {
        let (status, problem) = order(&app, &root, Method::DELETE, &analyst, None).await;
        assert_eq!(status, 204, "asked for again it is so already: {problem}");
    }
    assert!(!may_read(&app, &here, &ada).await, "at once");
    until("it is known elsewhere", async || {
        !may_read(&app, &other.base, &ada).await
    })
    .await;

    let told: Vec<(String, sqlx::types::Json<Value>, sqlx::types::Json<Value>)> = sqlx::query_as(
        "select event_type, payload, metadata from events \
         where aggregate_type = 'account' and aggregate_id = $1 and sequence > 1 order by position",
    )
    .bind(ada.account_id.to_string())
    .fetch_all(&app.ground.pool().await)
    .await
    .unwrap();
    let [(granted, payload, metadata), (revoked, ..)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(
        (granted.as_str(), revoked.as_str()),
        ("role_granted", "role_revoked")
    );
    assert!(payload["reason"]["sealed"].is_string(), "{payload:?}");
    assert_eq!(metadata["actor"]["role"], "admin");
    assert_eq!(metadata["actor"]["account"], json!(root.account_id));
    assert_eq!(metadata["subject"], json!(ada.account_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_does_and_not_everything_goes() {
    let app = TestApp::start_quiet().await;
    let (root, ada) = (app.register("root").await, app.register("ada").await);
    grant(&app, &root, "admin").await;
    let roles = |id: Uuid| format!("{id}/roles");
    let auditor = || Some(json!({"role": "auditor"}));
    let own = roles(ada.account_id);
    let (status, problem) = order(&app, &ada, Method::POST, &own, auditor()).await;
    assert_eq!(
        (status, &problem["type"]),
        (403, &json!("/problems/forbidden"))
    );
    // Whoever may not learns nothing about who there is.
    let (status, _) = order(&app, &ada, Method::POST, &roles(Uuid::nil()), auditor()).await;
    assert_eq!(status, 403);

    for (method, path, body, status) in [
        (Method::POST, roles(Uuid::nil()), auditor(), 404),
        (Method::POST, "7/roles".to_owned(), auditor(), 404),
        (
            Method::POST,
            own.clone(),
            Some(json!({"role": "king"})),
            422,
        ),
        (
            Method::POST,
            own.clone(),
            Some(json!({"role": "auditor", "why": "x"})),
            422,
        ),
        (Method::DELETE, format!("{own}/king"), None, 404),
        (Method::DELETE, format!("{own}/user"), None, 409),
    ] {
        let (found, problem) = order(&app, &root, method, &path, body).await;
        assert_eq!(found, status, "{path}: {problem}");
    }
}
