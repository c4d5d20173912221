//! Plans over HTTP, all the way round: what is written is read again from a replica, as it is and as it
//! was.

mod generations;
mod past;
mod sections;
mod strangers;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, TestUser};
use crate::ask::Told;

const SECTIONS: [&str; 9] = [
    "executive_summary",
    "business_description",
    "market_analysis",
    "products_and_services",
    "marketing_plan",
    "operations_plan",
    "financial_projections",
    "funding_request",
    "owner_bio",
];

/// Somebody with a plan.
struct Scene {
    app: TestApp,
    ada: TestUser,
    plan: String,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start_quiet().await;
        let ada = app.register("ada").await;
        let new = json!({"title": "The bakery", "industry": "Bread", "stage": "idea"});
        let started = app.ask(&ada, Method::POST, "/v1/plans").json(&new);
        let plan = format!("/v1/plans/{}", started.expect(201).await.id());
        Self { app, ada, plan }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.plan)
    }

    /// The plan, from a replica that is at `position`.
    async fn read(&self, position: i64) -> Told {
        let ask = self.app.ask(&self.ada, Method::GET, &self.plan);
        ask.at(position).expect(200).await
    }

    async fn write(&self, section: &str, text: &str, seen: &str) -> Told {
        let path = self.path(&format!("/sections/{section}"));
        let ask = self.app.ask(&self.ada, Method::PUT, &path);
        let ask = ask.header("If-Match", seen).json(&json!({"text": text}));
        ask.send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_started_described_listed_and_put_away() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let new = json!({
        "title": "The bakery", "business_name": "Crumb", "industry": "Bread",
        "location": "Graz", "stage": "idea", "summary": "Rye bread for commuters",
    });
    let started = app.ask(&ada, Method::POST, "/v1/plans").json(&new);
    let started = started.expect(201).await;
    let path = format!("/v1/plans/{}", started.id());
    assert_eq!(started.header("location"), Some(path.as_str()));
    assert_eq!(started.etag(), "\"1\"");
    for (field, value) in new.as_object().unwrap() {
        assert_eq!(started.body[field], *value, "{field}");
    }
    assert_eq!(started.body["status"], "active");
    assert_eq!(started.body["completion_percent"], 0);
    let sections = started.body["sections"].as_array().unwrap();
    let names: Vec<&str> = sections
        .iter()
        .map(|section| section["section"].as_str().unwrap())
        .collect();
    assert_eq!(names, SECTIONS);
    let empty = json!({
        "section": "owner_bio", "status": "empty", "text": "", "revision": 0,
        "source": null, "updated_at": null,
    });
    assert_eq!(sections[8], empty);

    // The log and a replica say the same.
    let read = app.ask(&ada, Method::GET, &path).at(started.position());
    let read = read.expect(200).await;
    assert_eq!((&read.body, read.etag()), (&started.body, started.etag()));

    let changed = json!({"title": "The mill", "industry": null});
    let changed = app.ask(&ada, Method::PATCH, &path).json(&changed);
    let changed = changed.header("If-Match", read.etag()).expect(200).await;
    assert_eq!(changed.body["title"], "The mill");
    assert_eq!(changed.body["industry"], Value::Null);
    assert_eq!(changed.body["location"], "Graz");
    assert_eq!(changed.etag(), "\"2\"");
    let again = app.ask(&ada, Method::GET, &path).at(changed.position());
    assert_eq!(again.expect(200).await.body, changed.body);

    let gone = app.ask(&ada, Method::DELETE, &path).expect(204).await;
    let listed = |status: &str| format!("/v1/plans?status={status}");
    for (status, expected) in [("active", 0), ("archived", 1)] {
        let list = app
            .ask(&ada, Method::GET, &listed(status))
            .at(gone.position());
        let items = list.expect(200).await.body["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), expected, "{status}");
    }
    let rename = json!({"title": "The oven"});
    let refused = app.ask(&ada, Method::PATCH, &path).json(&rename);
    refused.refused(409, "plan-archived").await;
    // Gone already: nothing happens, and that is fine.
    let again = app.ask(&ada, Method::DELETE, &path).expect(204).await;
    assert_eq!(again.position(), gone.position());
    let restored = json!({"status": "active", "title": "The oven"});
    let restored = app.ask(&ada, Method::PATCH, &path).json(&restored);
    let restored = restored.expect(200).await.body;
    assert_eq!(
        (&restored["status"], &restored["title"]),
        (&json!("active"), &json!("The oven"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_plans_are_the_list_newest_first() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let (mut ids, mut position) = (Vec::new(), 0);
    for n in 0..5 {
        let new = json!({"title": format!("Plan {n}")});
        let started = app.ask(&ada, Method::POST, "/v1/plans").json(&new);
        let started = started.expect(201).await;
        position = started.position();
        ids.insert(0, started.id());
    }
    let (mut found, mut path) = (Vec::new(), "/v1/plans?limit=2".to_owned());
    loop {
        let page = app.ask(&ada, Method::GET, &path).at(position);
        let page = page.expect(200).await.body;
        for item in page["items"].as_array().unwrap() {
            found.push(item["id"].as_str().unwrap().to_owned());
            assert!(item.get("sections").is_none());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/plans?limit=2&cursor={next}");
    }
    assert_eq!(found, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_recorded_corrected_and_withdrawn() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let rent = scene.path("/facts/monthly_rent");
    let put = |value: &str| {
        app.ask(ada, Method::PUT, &rent)
            .json(&json!({"value": value}))
    };
    let first = put("900 EUR").expect(200).await;
    assert_eq!(first.body["key"], "monthly_rent");
    assert_eq!(
        (&first.body["value"], &first.body["source"]),
        (&json!("900 EUR"), &json!("user"))
    );
    let last = put("950 EUR").expect(200).await;
    let list = scene.path("/facts");
    let facts = app.ask(ada, Method::GET, &list).at(last.position());
    assert_eq!(facts.expect(200).await.body["items"], json!([last.body]));
    let wrong = scene.path("/facts/Monthly%20rent");
    let wrong = app
        .ask(ada, Method::PUT, &wrong)
        .json(&json!({"value": "1"}));
    wrong.refused(404, "not-found").await;
    let gone = app.ask(ada, Method::DELETE, &rent).expect(204).await;
    let facts = app.ask(ada, Method::GET, &list).at(gone.position());
    assert_eq!(facts.expect(200).await.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_sent_twice_under_one_key_is_one_plan() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    let start = || {
        let ask = app.ask(&ada, Method::POST, "/v1/plans");
        ask.header("Idempotency-Key", "k-1")
            .json(&json!({"title": "The bakery"}))
    };
    let (first, again) = (start().expect(201).await, start().expect(201).await);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let path = format!("/v1/plans/{}", first.id());
    // An edit that is sent again is answered again, although its If-Match no longer fits.
    let edit = || {
        let ask = app
            .ask(&ada, Method::PATCH, &path)
            .header("Idempotency-Key", "k-2");
        ask.header("If-Match", first.etag())
            .json(&json!({"title": "The mill"}))
    };
    let (edited, again) = (edit().expect(200).await, edit().expect(200).await);
    assert_eq!((&again.body, again.etag()), (&edited.body, edited.etag()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_had_as_markdown_and_in_no_format_that_there_is_not() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let written = scene
        .write("market_analysis", "Commuters and students.", "\"0\"")
        .await;
    let export = scene.path("/export?format=md");
    let document = app.ask(ada, Method::GET, &export).at(written.position());
    let document = document.expect(200).await;
    assert_eq!(
        document.header("content-type"),
        Some("text/markdown; charset=utf-8")
    );
    let disposition = document.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let text = document.body.as_str().unwrap();
    assert!(text.starts_with("# The bakery\n"), "{text}");
    assert!(
        text.contains("## Market analysis\n\nCommuters and students.\n"),
        "{text}"
    );
    for format in ["pdf", "docx"] {
        let export = scene.path(&format!("/export?format={format}"));
        let refused = app.ask(ada, Method::GET, &export);
        let refused = refused.refused(422, "unknown-format").await;
        assert_eq!(refused.body["errors"][0]["message"], "must be md");
    }
}
