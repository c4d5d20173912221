//! `GET /v1/analytics/{view}`: who may, what comes, in which form, and from where.

use serde_json::{Value, json};

use super::shows_all;
use super::tour::{MODEL, people};
use crate::app::{TestApp, TestUser};
use crate::ground::Ground;
use crate::replica_scene::Replica;

/// Lets `user` do more, or no longer, as an operator does it.
async fn order(app: &TestApp, verb: &str, user: &TestUser) -> String {
    let id = user.account_id.to_string();
    let output = app
        .ground
        .command(&["account", verb, &id, "analyst"])
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

async fn ask(app: &TestApp, user: &TestUser, path: &str) -> (u16, Value) {
    let url = app.url(&format!("/v1/analytics/{path}"));
    let asked = app.http.get(url).bearer_auth(&user.token);
    let response = asked.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_may_from_the_grant_to_the_revocation_and_nobody_else() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    for path in ["daily_actives", "nothing", "daily_actives?from=never"] {
        let (status, problem) = ask(&app, &ada, path).await;
        assert_eq!(
            (status, &problem["type"]),
            (403, &json!("/problems/forbidden")),
            "{path}"
        );
    }
    let said = order(&app, "grant", &ada).await;
    assert!(
        said.contains("has the role analyst, as of position "),
        "{said}"
    );
    let again = order(&app, "grant", &ada).await;
    assert_eq!(said, again, "there is no second event");
    let granted = said.rsplit_once("position ").unwrap().1;
    let granted = granted
        .trim_end()
        .trim_end_matches(" of the log.")
        .parse()
        .unwrap();
    let (status, page) = ask(&app, &ada, "daily_actives").await;
    assert_eq!(status, 200, "{page}");
    let me = app.get(&ada, "/v1/me", granted).await;
    assert_eq!(me["roles"], json!(["user", "analyst"]));

    for path in ["nothing", "Daily_actives", "checkpoint", "%00", "..%2fme"] {
        let (status, problem) = ask(&app, &ada, path).await;
        assert_eq!(
            (status, &problem["type"]),
            (404, &json!("/problems/not-found")),
            "{path}"
        );
    }
    for (path, field) in [
        ("daily_actives?from=2026-02-30", "from"),
        ("daily_actives?to=yesterday", "to"),
        ("daily_actives?from=2026-01-02&to=2026-01-02", "to"),
        ("daily_actives?from=%27%20or%201=1", "from"),
        ("quarantine?from=2026-01-01", "from"),
        ("replica_health?to=2026-01-01", "to"),
        ("daily_actives?format=xml", "format"),
        ("daily_actives?limit=0", "limit"),
        ("daily_actives?cursor=7", "cursor"),
        ("daily_actives?colour=red", "colour"),
        ("daily_actives?format=csv&limit=7", "limit"),
    ] {
        let (status, problem) = ask(&app, &ada, path).await;
        assert_eq!(status, 400, "{path}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }

    order(&app, "revoke", &ada).await;
    assert_eq!(ask(&app, &ada, "daily_actives").await.0, 403, "at once");
    let unknown = app
        .ground
        .command(&["account", "grant", &uuid::Uuid::nil().to_string(), "admin"])
        .output()
        .await
        .unwrap();
    assert!(!unknown.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_page_by_page_or_as_csv_from_the_replica_that_is_kept_for_analysts() {
    let mut ground = Ground::with_replicas(2).await;
    let reserved = ground.addresses.replicas[1].clone();
    ground.addresses.analyst_replica = Some(reserved.name);
    let app = TestApp::start_on(ground).await;
    let ada = app.register("ada").await;
    order(&app, "grant", &ada).await;
    let store = app.ground.store().await;
    people(&store, 5).await;
    let replica = Replica { url: reserved.url };
    let head = shows_all(&app.ground, &replica).await;
    sqlx::raw_sql("update fido.messages_by_day set messages = messages + 1000")
        .execute(&mut replica.as_owner().await)
        .await
        .unwrap();

    let messages = app.get(&ada, "/v1/analytics/messages_by_day", head).await;
    assert_eq!(
        messages["items"][0]["messages"], 5_025,
        "only there it is so"
    );
    let all = app
        .get(&ada, "/v1/analytics/events_by_day?limit=100", head)
        .await;
    assert_eq!(all["next"], Value::Null);
    // Each look is an event itself, of which the next one may know already.
    let others = |rows: &Value| -> Vec<Value> {
        let rows = rows["items"].as_array().unwrap().iter();
        let mut rows: Vec<Value> = rows
            .filter(|row| row["aggregate_type"] != "access")
            .cloned()
            .collect();
        for row in &mut rows {
            row.as_object_mut().unwrap().remove("as_of_position");
        }
        rows
    };
    let all = others(&all);
    assert!(all.len() > 20);
    let (mut paged, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/analytics/events_by_day?limit=7{next}");
        let page = app.get(&ada, &path, head).await;
        assert!(page["items"].as_array().unwrap().len() <= 7);
        paged.extend(others(&page));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    for (window, is_there) in [
        ("from=2020-01-01&to=9999-12-31", true),
        ("from=2020-01-01", true),
        ("to=2020-01-01", false),
        ("from=9999-12-31", false),
    ] {
        let path = format!("/v1/analytics/events_by_day?{window}");
        let page = app.get(&ada, &path, head).await;
        assert_eq!(page["items"][0].is_object(), is_there, "{window}");
    }

    let url = app.url("/v1/analytics/model_usage?format=csv&from=2020-01-01&to=9999-12-31");
    let response = app
        .http
        .get(url)
        .bearer_auth(&ada.token)
        .send()
        .await
        .unwrap();
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
    let shown: i64 = headers["fido-position"].to_str().unwrap().parse().unwrap();
    assert!(shown >= head);
    let text = response.text().await.unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "day,audience,copilot,model,accounts,answers,input_tokens,output_tokens,suppressed,as_of_position"
        )
    );
    let quoted = format!("\"{}\"", MODEL.replace('"', "\"\""));
    let expected = |copilot, answers, input, output| {
        format!(",customers,{copilot},{quoted},5,{answers},{input},{output},f,{shown}")
    };
    for expected in [
        expected("growth_engine", 10, 1_000, 100),
        expected("plan_generation", 15, 1_500, 150),
    ] {
        let line = lines.next().unwrap();
        assert_eq!(&line[10..], expected);
    }
    assert_eq!(lines.next(), None);
}
