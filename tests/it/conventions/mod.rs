//! What holds for every route, asked of every route. The routes come from the API's own document,
//! so that a new one is missing here until it has its line in `routes.rs`.

mod document;
mod routes;
mod scene;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::Case;
use routes::{Route, table};
use scene::{Scene, UNKNOWN};

/// Asks what must be refused, and sees that nothing has come of it.
async fn refused(scene: &Scene, cases: impl IntoIterator<Item = Case>) {
    let before = scene.happened().await;
    for case in cases {
        case.check(&scene.app).await;
    }
    assert_eq!(scene.happened().await, before, "something has happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_in_the_table() {
    let scene = Scene::set().await;
    let name = |method: &reqwest::Method, path: &str| format!("{method} {path}");
    let documented = scene.document.routes();
    let documented: BTreeSet<_> = documented
        .iter()
        .map(|(method, path)| name(method, path))
        .collect();
    let listed: BTreeSet<_> = table()
        .iter()
        .map(|route| name(&route.method, route.path))
        .collect();
    assert_eq!(documented, listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_session_that_is_open() {
    let scene = Scene::set().await;
    let mut cases = Vec::new();
    for route in table() {
        if !scene.document.operation(&route).needs_a_session() {
            continue;
        }
        for (_why, authorization) in &scene.no_tokens {
            let case = || match authorization.as_str() {
                "" => scene.asked(&route),
                token => scene.asked(&route).header("authorization", token),
            };
            cases.push(case().expect(401, "unauthenticated"));
            // Whoever is nobody does not learn what is wrong with the rest, nor what is there.
            let elsewhere = [scene.asked_of_bob(&route), scene.asked_of(&route, "7")];
            for case in elsewhere.into_iter().flatten() {
                let case = case.header("authorization", authorization.as_str());
                cases.push(case.expect(401, "unauthenticated"));
            }
            if route.body.is_some() {
                cases.push(case().body("hello").expect(401, "unauthenticated"));
            }
        }
        let cookie = scene.asked(&route).header("cookie", "fido=fido_AAAA");
        let cookie = cookie.header("sec-fetch-site", "same-origin");
        cases.push(cookie.expect(401, "unauthenticated"));
    }
    refused(&scene, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_further_than_their_roles() {
    let scene = Scene::set().await;
    let routes = table();
    let routes = routes
        .iter()
        .filter(|route| scene.document.operation(route).role().is_some());
    let mut cases = Vec::new();
    for route in routes {
        let case = scene.asked(route).by(&scene.ada);
        cases.push(case.clone().expect(403, "forbidden"));
        if route.body.is_some() {
            cases.push(case.body("hello").expect(403, "forbidden"));
        }
    }
    refused(&scene, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_somebody_elses_is_not_there() {
    let scene = Scene::set().await;
    let mut cases = Vec::new();
    for route in table() {
        let of_bob = scene.asked_of_bob(&route);
        let nobodys = [UNKNOWN, "7", "%00", "%ff", "..%2f..%2fme", "'%20or%201=1"];
        let nobodys = nobodys
            .into_iter()
            .filter_map(|id| scene.asked_of(&route, id));
        for case in of_bob.into_iter().chain(nobodys) {
            let case = case.by(scene.rightful(&route));
            cases.push(case.expect(404, "not-found"));
        }
    }
    assert!(cases.len() > 7, "there are such routes");
    refused(&scene, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_another_site_asks_for_is_refused() {
    let scene = Scene::set().await;
    let cookie = format!("fido={}", scene.ada.token);
    let mut cases = Vec::new();
    for route in table() {
        let operation = scene.document.operation(&route);
        if !operation.needs_a_session() || route.method.is_safe() || operation.role().is_some() {
            continue;
        }
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
            ("accept", "*/*"),
        ] {
            let case = scene.asked(&route).header("cookie", cookie.as_str());
            cases.push(case.header(name, value).expect(403, "cross-site"));
        }
    }
    refused(&scene, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_or_a_header_that_is_wrong_is_named() {
    let scene = Scene::set().await;
    let mut cases = Vec::new();
    for route in table() {
        if route.done == 404 {
            continue;
        }
        let operation = scene.document.operation(&route);
        let asked = || scene.asked(&route).by(scene.rightful(&route));
        let named = |case: Case, name: &str| case.expect(400, "invalid-parameter").naming(name);
        for (name, values) in [
            (
                "limit",
                &["0", "101", "-1", "ten", "", "1.5", "99999999999999999999"][..],
            ),
            ("cursor", &["", "!", "%00", "AAAA", "eyJhIjoxfQ", "WzEsMl0"]),
            ("after", &["-1", "now", ""]),
        ] {
            for value in values.iter().filter(|_| operation.takes(name)) {
                cases.push(named(asked().query(name, value), name));
            }
        }
        if operation.takes("limit") {
            cases.push(named(
                asked().query("limit", "1").query("limit", "2"),
                "limit",
            ));
        }
        if operation.takes_a_query() {
            cases.push(named(asked().query("colour", "red"), "colour"));
        }
        for name in ["Fido-Min-Position", "Last-Event-ID"] {
            for position in ["-1", "now", "", "9223372036854775808"] {
                if operation.takes(name) {
                    cases.push(named(asked().header(name, position), name));
                }
            }
        }
        if operation.takes("Idempotency-Key") {
            for key in ["two words", "", &"x".repeat(256)] {
                let case = asked().header("Idempotency-Key", key);
                cases.push(named(case, "Idempotency-Key"));
            }
        }
    }
    refused(&scene, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_wrong_is_named() {
    let scene = Scene::set().await;
    let mut cases = Vec::new();
    for route in table() {
        let takes_a_body = scene.document.operation(&route).takes_a_body();
        assert_eq!(
            takes_a_body,
            route.body.is_some(),
            "{} {}",
            route.method,
            route.path
        );
        let Some(good) = route.body.as_ref().filter(|_| route.done != 404) else {
            continue;
        };
        let bare = || {
            let bodiless = Route {
                body: None,
                ..route.like()
            };
            scene.asked(&bodiless).by(scene.rightful(&route))
        };
        let mut unknown = good.clone();
        unknown["colour"] = json!("red");
        cases.push(
            bare()
                .json(&unknown)
                .expect(422, "invalid-body")
                .naming("colour"),
        );
        for body in ["null", "7", "[]"] {
            cases.push(bare().body(body).expect(422, "invalid-body"));
        }
        for body in ["", "hello", "{", "{\"a\": \"\\ud800\"}"] {
            cases.push(bare().body(body).expect(400, "malformed-body"));
        }
        let large = vec![b' '; 256 * 1024 + 1];
        cases.push(bare().body(large).expect(413, "body-too-large"));
        cases.push(bare().expect(415, "unsupported-media-type"));
        let plain = bare().header("content-type", "text/plain");
        cases.push(plain.expect(415, "unsupported-media-type"));
    }
    refused(&scene, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_path_does_not_have_is_refused() {
    let scene = Scene::set().await;
    let routes = scene.document.routes();
    let mut cases = Vec::new();
    for route in table() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let has =
                |(known, path): &(reqwest::Method, String)| *known == method && path == route.path;
            if routes.iter().any(has) {
                continue;
            }
            let method = method.parse().unwrap();
            let other = Route {
                method,
                body: None,
                ..route.like()
            };
            cases.push(
                scene
                    .asked(&other)
                    .by(&scene.ada)
                    .expect(405, "method-not-allowed"),
            );
        }
    }
    refused(&scene, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_well_each_route_answers_as_its_document_says() {
    let scene = Scene::set().await;
    for route in table() {
        let operation = scene.document.operation(&route);
        let case = scene.asked(&route).by(scene.rightful(&route));
        let case = case
            .header("x-request-id", "r-1")
            .header("idempotency-key", format!("{}{}", route.method, route.path));
        let answer = case.answer(&scene.app).await;
        assert_eq!(answer.status(), route.done, "{case}");
        assert!(operation.may_answer(route.done), "{case}");
        assert_eq!(answer.headers()["x-request-id"], "r-1", "{case}");
        let is_query = operation.takes("Fido-Min-Position") && !operation.takes("Last-Event-ID");
        if is_query || route.is_keyed {
            let position = answer.headers()["fido-position"].to_str().unwrap();
            assert!(position.parse::<i64>().is_ok(), "{case}: {position}");
        }
        if route.is_keyed {
            assert!(operation.takes("Idempotency-Key"), "{case}");
            sent_again(&scene, &route, &case, answer.json().await.unwrap()).await;
        }
    }
}

/// The same request under its key gets the first answer; another one under the same key none.
async fn sent_again(scene: &Scene, route: &Route, case: &Case, first: Value) {
    let before = scene.happened().await;
    let again = case.answer(&scene.app).await;
    assert_eq!(again.status(), route.done, "{case}");
    assert_eq!(again.headers()["idempotent-replayed"], "true", "{case}");
    assert_eq!(again.json::<Value>().await.unwrap(), first, "{case}");
    let other = case.clone().query("other", "1");
    let other = other.answer(&scene.app).await;
    assert_eq!(other.status(), 422, "{case}");
    assert_eq!(scene.happened().await, before, "{case} has happened twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_visible_yet_is_told_from_what_is_not_there() {
    let scene = Scene::set().await;
    let far = i64::MAX.to_string();
    let mut asked = Vec::new();
    for route in table() {
        let operation = scene.document.operation(&route);
        if operation.takes("Fido-Min-Position") && !operation.takes("Last-Event-ID") {
            let case = scene.asked(&route).by(scene.rightful(&route));
            asked.push(
                case.header("Fido-Min-Position", far.as_str())
                    .expect(503, "replica-behind"),
            );
        }
    }
    assert!(asked.len() > 3, "there are queries");
    // Each of them waits before it gives up.
    let all = asked.iter().map(|case| case.check(&scene.app));
    futures::future::join_all(all).await;
}
