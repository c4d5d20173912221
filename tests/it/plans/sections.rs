//! Sections: written by several at once without losing anything, approved, and taken back.

use reqwest::Method;
use serde_json::json;

use super::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_section_is_written_read_and_counted() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let path = scene.path("/sections/market_analysis");
    let empty = app.ask(ada, Method::GET, &path).at(2).expect(200).await;
    assert_eq!(empty.body["status"], "empty");
    assert_eq!(empty.etag(), "\"0\"");

    let written = scene
        .write("market_analysis", "Commuters", &empty.etag())
        .await;
    assert_eq!(written.status, 200, "{}", written.body);
    let body = &written.body;
    assert_eq!(
        (&body["status"], &body["text"]),
        (&json!("revised"), &json!("Commuters"))
    );
    assert_eq!(
        (&body["revision"], &body["source"]),
        (&json!(1), &json!("user"))
    );
    let read = app.ask(ada, Method::GET, &path).at(written.position());
    let read = read.expect(200).await;
    assert_eq!((&read.body, read.etag()), (body, written.etag()));
    let plan = scene.read(written.position()).await;
    assert_eq!(plan.body["completion_percent"], 11);
    assert_eq!(plan.body["sections"][2], *body);
    // The revision alone names the text as well: it is what the plan as a whole shows.
    let again = scene
        .write("market_analysis", "Commuters and students", "\"1\"")
        .await;
    assert_eq!(again.body["revision"], 2, "{}", again.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_have_read_the_same_text_one_changes_it() {
    let scene = Scene::set().await;
    let texts: Vec<String> = (0..8).map(|n| format!("Text {n}")).collect();
    let edits = texts
        .iter()
        .map(|text| scene.write("owner_bio", text, "\"0\""));
    let told = futures::future::join_all(edits).await;
    let accepted: Vec<_> = told.iter().filter(|told| told.status == 200).collect();
    assert_eq!(accepted.len(), 1);
    for told in told.iter().filter(|told| told.status != 200) {
        assert_eq!(told.status, 412, "{}", told.body);
        assert_eq!(told.body["type"], "/problems/precondition-failed");
    }
    let plan = scene.read(accepted[0].position()).await;
    assert_eq!(plan.body["sections"][8]["text"], accepted[0].body["text"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_describe_the_plan_they_have_seen_one_is_told_that_it_has_changed() {
    let scene = Scene::set().await;
    let edits = (0..6).map(|n| {
        let ask = scene.app.ask(&scene.ada, Method::PATCH, &scene.plan);
        let ask = ask.header("If-Match", "\"1\"");
        ask.json(&json!({"title": format!("Title {n}")})).send()
    });
    let mut statuses: Vec<u16> = futures::future::join_all(edits)
        .await
        .iter()
        .map(|told| told.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_say_what_they_have_read_overwrites_nothing() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let path = scene.path("/sections/owner_bio");
    let text = json!({"text": "Ada bakes"});
    let blind = app.ask(ada, Method::PUT, &path).json(&text);
    let blind = blind.refused(428, "precondition-required").await;
    assert_eq!(blind.body["errors"][0]["field"], "If-Match");
    let garbled = app.ask(ada, Method::PUT, &path).json(&text);
    let garbled = garbled.header("If-Match", "7");
    garbled.refused(400, "invalid-parameter").await;
    // Whatever is there.
    let told = scene.write("owner_bio", "Ada bakes", "*").await;
    assert_eq!((told.status, &told.body["revision"]), (200, &json!(1)));
    // A weak tag is never the same (RFC 9110 8.8.3.2).
    let told = scene.write("owner_bio", "Ada brews", "W/\"1\"").await;
    assert_eq!(told.status, 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_section_stays_until_it_is_reopened_and_its_tag_shows_it() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let section = scene.path("/sections/owner_bio");
    let approve = || app.ask(ada, Method::POST, &format!("{section}/approve"));
    approve().refused(409, "section-empty").await;
    let written = scene.write("owner_bio", "Ada bakes", "\"0\"").await;
    approve()
        .header("If-Match", "\"0\"")
        .refused(412, "precondition-failed")
        .await;
    let approved = approve()
        .header("If-Match", written.etag())
        .expect(200)
        .await;
    assert_eq!(approved.body["status"], "approved");
    assert_eq!(approved.body["text"], "Ada bakes");
    assert_ne!(approved.etag(), written.etag(), "it looks different now");
    let read = app.ask(ada, Method::GET, &section).at(approved.position());
    let read = read.expect(200).await;
    assert_eq!((&read.body, read.etag()), (&approved.body, approved.etag()));

    let refused = scene
        .write("owner_bio", "Ada brews", &approved.etag())
        .await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.body["type"], "/problems/section-approved");
    let reopened = app.ask(ada, Method::POST, &format!("{section}/reopen"));
    let reopened = reopened.expect(200).await;
    assert_eq!(reopened.body["status"], "revised");
    let told = scene
        .write("owner_bio", "Ada brews", &reopened.etag())
        .await;
    assert_eq!((told.status, &told.body["revision"]), (200, &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_text_is_kept_and_can_be_had_back() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    for (n, text) in ["First", "Second", "Third"].into_iter().enumerate() {
        let told = scene.write("owner_bio", text, &format!("\"{n}\"")).await;
        assert_eq!(told.status, 200, "{}", told.body);
    }
    let revisions = scene.path("/sections/owner_bio/revisions");
    let restore = |n: u32| app.ask(ada, Method::POST, &format!("{revisions}/{n}/restore"));
    restore(4).refused(404, "not-found").await;
    restore(1)
        .header("If-Match", "\"2\"")
        .refused(412, "precondition-failed")
        .await;
    let restored = restore(1).header("If-Match", "\"3\"").expect(200).await;
    assert_eq!(
        (&restored.body["text"], &restored.body["revision"]),
        (&json!("First"), &json!(4))
    );
    // Sent again it is so already.
    let again = restore(1).header("If-Match", "\"3\"").expect(200).await;
    assert_eq!(again.body, restored.body);

    let page = app.ask(ada, Method::GET, &format!("{revisions}?limit=3"));
    let page = page.at(restored.position()).expect(200).await.body;
    let texts = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["text"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(texts(&page), ["First", "Third", "Second"]);
    assert_eq!(page["items"][0]["restored_from"], 1);
    let next = page["next"].as_str().unwrap();
    let page = app.ask(
        ada,
        Method::GET,
        &format!("{revisions}?limit=3&cursor={next}"),
    );
    let page = page.at(restored.position()).expect(200).await.body;
    assert_eq!(
        (texts(&page), &page["next"]),
        (vec!["First".to_owned()], &json!(null))
    );
}
