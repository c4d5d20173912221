//! Paths, parameters, headers and methods that are wrong, and tokens that are not there.

use reqwest::Method;
use serde_json::json;

use super::Scene;
use crate::case::Case;

const UNKNOWN: &str = "0190b5a4-7c3e-7000-8000-000000000000";

/// Requests of somebody who is signed in.
pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    let mut cases = ids(scene);
    cases.extend(parameters(scene));
    cases.extend(headers(scene));
    cases.extend(methods(scene));
    cases
}

/// Ids that are unknown, somebody else's, or no ids: all the same to whoever asks.
fn ids(scene: &Scene) -> Vec<Case> {
    let (of_bob, session) = (scene.of_bob.to_string(), scene.session_of_bob.as_str());
    let mut cases = Vec::new();
    for id in [of_bob.as_str(), UNKNOWN, "7", "%00", "%ff", "..%2f..%2fme"] {
        let conversation = format!("/v1/conversations/{id}");
        let messages = format!("{conversation}/messages");
        cases.push(Case::get(conversation));
        cases.push(Case::get(&messages));
        cases.push(Case::post(&messages).json(&json!({"text": "Hello"})));
    }
    for id in [session, UNKNOWN, "7", "%00"] {
        cases.push(Case::new(Method::DELETE, format!("/v1/sessions/{id}")));
    }
    cases.push(Case::get("/v1/nothing"));
    cases.push(Case::get("/"));
    cases
        .into_iter()
        .chain(
            [of_bob.as_str(), UNKNOWN].map(|id| {
                Case::get(format!("/v1/stream?conversation={id}")).naming("conversation")
            }),
        )
        .chain([
            Case::get("/v1/conversations/7").naming("conversation_id"),
            Case::new(Method::DELETE, "/v1/sessions/7").naming("session_id"),
        ])
        .map(|case| case.by(&scene.ada).expect(404, "not-found"))
        .collect()
}

fn parameters(scene: &Scene) -> Vec<Case> {
    let messages = format!("/v1/conversations/{}/messages", scene.of_ada);
    let conversations = "/v1/conversations";
    let mut cases = Vec::new();
    for list in [conversations, &messages] {
        for limit in ["0", "101", "-1", "ten", "", "1.5", "99999999999999999999"] {
            cases.push((list, "limit", limit));
        }
        // Not base64url; not JSON inside; JSON of another list.
        for cursor in ["", "!", "%00", "AAAA", "eyJhIjoxfQ", "WzEsMl0"] {
            cases.push((list, "cursor", cursor));
        }
        cases.push((list, "colour", "red"));
    }
    cases.extend([
        (conversations, "status", "lost"),
        (conversations, "copilot", "nobody"),
        (conversations, "plan_id", "7"),
        (conversations, "order", "asc"),
        (&messages, "order", "sideways"),
        (&messages, "status", "active"),
        ("/v1/stream", "after", "-1"),
        ("/v1/stream", "after", "now"),
        ("/v1/stream", "conversation", "7"),
        ("/v1/stream", "plan", UNKNOWN),
    ]);
    cases
        .into_iter()
        .map(|(path, name, value)| Case::get(format!("{path}?{name}={value}")).naming(name))
        .chain([Case::get("/v1/conversations?limit=1&limit=2").naming("limit")])
        .map(|case| case.by(&scene.ada).expect(400, "invalid-parameter"))
        .collect()
}

fn headers(scene: &Scene) -> Vec<Case> {
    let conversation = format!("/v1/conversations/{}", scene.of_ada);
    let messages = format!("{conversation}/messages");
    let mut cases = Vec::new();
    for path in ["/v1/me", "/v1/conversations", &conversation, &messages] {
        for position in ["-1", "now", "", "9223372036854775808"] {
            let case = Case::get(path).header("Fido-Min-Position", position);
            cases.push(case.naming("Fido-Min-Position"));
        }
    }
    for last in ["-1", "now"] {
        let case = Case::get("/v1/stream").header("Last-Event-ID", last);
        cases.push(case.naming("Last-Event-ID"));
    }
    let mut cases: Vec<Case> = cases
        .into_iter()
        .map(|case| case.by(&scene.ada).expect(400, "invalid-parameter"))
        .collect();
    let cookie = format!("fido={}", scene.ada.token);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("accept", "*/*"),
    ] {
        cases.push(
            Case::post("/v1/conversations")
                .header("cookie", cookie.as_str())
                .header(name, value)
                .json(&json!({"copilot": "growth_engine"}))
                .expect(403, "cross-site"),
        );
    }
    cases
}

fn methods(scene: &Scene) -> Vec<Case> {
    [
        (Method::GET, "/v1/accounts"),
        (Method::PUT, "/v1/sessions"),
        (Method::GET, "/v1/sessions/current"),
        (Method::POST, "/v1/me"),
        (Method::POST, "/v1/copilots"),
        (Method::DELETE, "/v1/conversations"),
        (Method::POST, "/v1/stream"),
        (Method::POST, "/v1/analytics/daily_actives"),
        (Method::POST, "/healthz"),
        (Method::POST, "/readyz"),
    ]
    .map(|(method, path)| {
        let case = Case::new(method, path).by(&scene.ada);
        case.expect(405, "method-not-allowed")
    })
    .into()
}

/// Every route that is not open to anyone, with no token, a wrong one and a cookie that is none;
/// and with a body that would be refused, had anybody read it.
pub(super) fn without_a_token(scene: &Scene) -> Vec<Case> {
    let conversation = format!("/v1/conversations/{}", scene.of_ada);
    let messages = format!("{conversation}/messages");
    let session = format!("/v1/sessions/{}", scene.session_of_bob);
    let large = "x".repeat(10 * 1024 * 1024);
    let unauthenticated = |case: Case| case.expect(401, "unauthenticated");
    [
        (Method::GET, "/v1/sessions"),
        (Method::DELETE, "/v1/sessions/current"),
        (Method::DELETE, &session),
        (Method::GET, "/v1/me"),
        (Method::GET, "/v1/copilots"),
        (Method::POST, "/v1/conversations"),
        (Method::GET, "/v1/conversations"),
        (Method::GET, &conversation),
        (Method::POST, &messages),
        (Method::GET, &messages),
        (Method::GET, "/v1/stream"),
        (Method::GET, "/v1/analytics/daily_actives"),
    ]
    .into_iter()
    .flat_map(|(method, path)| {
        let case = || Case::new(method.clone(), path);
        [
            case(),
            case().header("authorization", "Bearer fido_AAAA"),
            case().header("authorization", "Bearer "),
            case().header("authorization", "Basic YWRhOmFkYQ=="),
            case()
                .header("cookie", "fido=fido_AAAA")
                .header("sec-fetch-site", "same-origin"),
        ]
    })
    .chain([
        Case::post("/v1/conversations").body(large.clone()),
        Case::post(&messages).body(large),
    ])
    .map(unauthenticated)
    .collect()
}
