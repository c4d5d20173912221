//! Time travel, and who has changed what.

use reqwest::Method;
use serde_json::{Value, json};

use super::Scene;
use crate::ask::Told;

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_shown_as_it_was_at_any_position_and_time() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let first = scene.write("owner_bio", "Ada bakes", "\"0\"").await;
    let second = scene.write("owner_bio", "Ada brews", "\"1\"").await;
    let renamed = app.ask(ada, Method::PATCH, &scene.plan);
    let renamed = renamed
        .json(&json!({"title": "The brewery"}))
        .expect(200)
        .await;

    let looked = async |at: &str| -> Told {
        let path = scene.path(&format!("?at={at}"));
        app.ask(ada, Method::GET, &path).send().await
    };
    let bio = |told: &Told| told.body["sections"][8]["text"].clone();
    for (at, text, title, etag) in [
        (first.position(), "Ada bakes", "The bakery", "\"2\""),
        (second.position(), "Ada brews", "The bakery", "\"3\""),
        (renamed.position(), "Ada brews", "The brewery", "\"4\""),
    ] {
        let told = looked(&at.to_string()).await;
        assert_eq!(told.status, 200, "{}", told.body);
        assert_eq!(
            (bio(&told), &told.body["title"]),
            (json!(text), &json!(title))
        );
        assert_eq!((told.etag().as_str(), told.position()), (etag, at));
    }
    // At the time of a change it has happened.
    let time = first.body["updated_at"].as_str().unwrap();
    let told = looked(time).await;
    assert_eq!((told.status, bio(&told)), (200, json!("Ada bakes")));
    assert_eq!(told.position(), first.position());
    // What is the same now and then is the same resource.
    let now = scene.read(renamed.position()).await;
    let then = looked(&renamed.position().to_string()).await;
    assert_eq!((&now.body, now.etag()), (&then.body, then.etag()));

    // Before it was there it was not found; what is to come nobody knows.
    for (at, status) in [
        ("0", 404),
        ("1", 404),
        ("2001-01-01T00:00:00Z", 404),
        ("999999999", 400),
        ("2999-01-01T00:00:00Z", 400),
        ("yesterday", 400),
        ("-1", 400),
        ("", 400),
    ] {
        let told = looked(at).await;
        assert_eq!(told.status, status, "{at}: {}", told.body);
        if status == 400 {
            assert_eq!(told.body["errors"][0]["field"], "at", "{at}");
        }
    }
    let bob = app.register("bob").await;
    let path = scene.path(&format!("?at={}", first.position()));
    app.ask(&bob, Method::GET, &path)
        .refused(404, "not-found")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_says_who_changed_what_and_never_what_it_says() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    scene.write("owner_bio", "A secret recipe", "\"0\"").await;
    let rent = scene.path("/facts/monthly_rent");
    let rent = app
        .ask(ada, Method::PUT, &rent)
        .json(&json!({"value": "900 EUR"}));
    rent.expect(200).await;
    let changed = json!({"location": "Graz", "industry": null});
    let changed = app.ask(ada, Method::PATCH, &scene.plan).json(&changed);
    let last = changed.expect(200).await.position();

    let (mut events, mut path) = (Vec::new(), scene.path("/history?limit=3"));
    loop {
        let page = app.ask(ada, Method::GET, &path).at(last).expect(200).await;
        let text = page.body.to_string();
        assert!(!text.contains("secret") && !text.contains("900"), "{text}");
        events.extend(page.body["items"].as_array().unwrap().clone());
        let Some(next) = page.body["next"].as_str() else {
            break;
        };
        path = scene.path(&format!("/history?limit=3&cursor={next}"));
    }
    let names: Vec<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    let expected = [
        "plan_described",
        "fact_recorded",
        "section_revised",
        "plan_started",
    ];
    assert_eq!(names, expected);
    let ada = json!({"account_id": ada.account_id, "role": "user"});
    assert!(events.iter().all(|event| event["actor"] == ada));
    assert_eq!(events[0]["details"], json!(["location", "industry"]));
    assert_eq!(events[0]["position"], last);
    assert_eq!(events[1]["fact"], "monthly_rent");
    assert_eq!(events[2]["section"], "owner_bio");
    assert_eq!(events[2]["revision"], 1);
    assert_eq!(events[3]["sequence"], 1);
    assert_eq!(events[3].get("section"), None::<&Value>);
}
