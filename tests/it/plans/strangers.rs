//! Somebody else's plan is not there, whatever is asked of it and with whatever headers.

use reqwest::Method;
use serde_json::{Value, json};

use super::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_plan_is_not_there_for_any_route() {
    let scene = Scene::set().await;
    let (app, ada) = (&scene.app, &scene.ada);
    let bob = app.register("bob").await;
    scene.write("owner_bio", "Ada bakes", "\"0\"").await;
    let asked = app.ask(ada, Method::POST, &scene.path("/generations"));
    let asked = asked.json(&json!({})).expect(202).await;
    let generation = asked.body["generation"]["id"].as_str().unwrap();
    let position = asked.position();
    let unknown = "/v1/plans/0190b5a4-7c3e-7000-8000-000000000000";

    let text = json!({"text": "Mine"});
    let none = Value::Null;
    for (method, rest, body) in [
        (Method::GET, String::new(), &none),
        (Method::GET, "?at=3".to_owned(), &none),
        (Method::PATCH, String::new(), &json!({"title": "Mine"})),
        (Method::DELETE, String::new(), &none),
        (Method::GET, "/history".to_owned(), &none),
        (Method::GET, "/export".to_owned(), &none),
        (Method::GET, "/sections/owner_bio".to_owned(), &none),
        (Method::PUT, "/sections/owner_bio".to_owned(), &text),
        (
            Method::POST,
            "/sections/owner_bio/approve".to_owned(),
            &none,
        ),
        (Method::POST, "/sections/owner_bio/reopen".to_owned(), &none),
        (
            Method::GET,
            "/sections/owner_bio/revisions".to_owned(),
            &none,
        ),
        (
            Method::POST,
            "/sections/owner_bio/revisions/1/restore".to_owned(),
            &none,
        ),
        (Method::GET, "/facts".to_owned(), &none),
        (
            Method::PUT,
            "/facts/rent".to_owned(),
            &json!({"value": "1"}),
        ),
        (Method::DELETE, "/facts/rent".to_owned(), &none),
        (Method::GET, "/generations".to_owned(), &none),
        (Method::POST, "/generations".to_owned(), &json!({})),
        (Method::GET, format!("/generations/{generation}"), &none),
        (
            Method::POST,
            format!("/generations/{generation}/cancel"),
            &none,
        ),
    ] {
        for path in [scene.path(&rest), format!("{unknown}{rest}")] {
            // A tag that fits, one that does not, and any.
            for seen in ["\"1\"", "\"999\"", "*"] {
                let mut ask = app
                    .ask(&bob, method.clone(), &path)
                    .header("If-Match", seen);
                if method == Method::GET {
                    ask = ask.at(position);
                } else if *body != none {
                    ask = ask.json(body);
                }
                ask.refused(404, "not-found").await;
            }
        }
    }
    let mine = scene.read(position).await;
    assert_eq!(mine.etag(), "\"3\"", "nothing has happened to it");
}
