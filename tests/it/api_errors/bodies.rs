//! Every way in which a body can be wrong, for every route that takes one.

use serde_json::{Value, json};

use super::Scene;
use crate::case::Case;

/// A route that takes a body.
struct Route {
    /// As somebody who may.
    request: Case,
    /// A body that would be accepted.
    good: Value,
    required: &'static [&'static str],
    /// Fields of text, each with a text that is too long for it.
    texts: Vec<(&'static str, String)>,
}

fn routes(scene: &Scene) -> Vec<Route> {
    let messages = format!("/v1/conversations/{}/messages", scene.of_ada);
    vec![
        Route {
            request: Case::post("/v1/accounts"),
            good: json!({
                "email": "eve@example.com", "password": "correct horse", "display_name": "Eve",
            }),
            required: &["email", "password", "display_name"],
            texts: vec![
                ("email", format!("{}@example.com", "x".repeat(243))),
                ("password", "x".repeat(257)),
                ("display_name", "x".repeat(101)),
            ],
        },
        Route {
            request: Case::post("/v1/sessions"),
            good: json!({"email": "ada@example.com", "password": "correct horse"}),
            required: &["email", "password"],
            texts: vec![
                ("email", format!("{}@example.com", "x".repeat(243))),
                ("password", "x".repeat(257)),
            ],
        },
        Route {
            request: Case::post("/v1/conversations").by(&scene.ada),
            good: json!({"copilot": "growth_engine", "goal": "More guests"}),
            required: &["copilot"],
            texts: vec![("copilot", "x".repeat(9)), ("goal", "x".repeat(2_001))],
        },
        Route {
            request: Case::post(messages).by(&scene.ada),
            good: json!({"text": "Hello"}),
            required: &["text"],
            texts: vec![("text", "x".repeat(32_001))],
        },
    ]
}

/// Bodies that are wrong for every route, and for some.
pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    let mut cases: Vec<Case> = routes(scene).iter().flat_map(Route::cases).collect();
    let conversations = || Case::post("/v1/conversations").by(&scene.ada);
    let invalid = |case: Case, body: Value, field: &str| {
        case.json(&body).expect(422, "invalid-body").naming(field)
    };
    cases.extend([
        invalid(
            conversations(),
            json!({"copilot": "growth_engine", "plan_id": "7"}),
            "plan_id",
        ),
        invalid(
            conversations(),
            json!({"copilot": "growth_engine", "goal": " \n"}),
            "goal",
        ),
        invalid(
            Case::post("/v1/accounts"),
            json!({"email": "eve", "password": "correct horse", "display_name": "Eve"}),
            "email",
        ),
        invalid(
            Case::post("/v1/accounts"),
            json!({"email": "eve@example.com", "password": "horse", "display_name": "Eve"}),
            "password",
        ),
        invalid(
            Case::post("/v1/accounts"),
            json!({"email": "eve@example.com", "password": "correct horse", "display_name": "E\nve"}),
            "display_name",
        ),
    ]);
    cases
}

impl Route {
    fn cases(&self) -> Vec<Case> {
        let mut cases = self.as_a_whole();
        for field in self.required {
            cases.push(self.invalid(&self.without(field), field));
            cases.push(self.invalid(&self.with(field, Value::Null), field));
        }
        for (field, too_long) in &self.texts {
            for wrong in [
                json!(7),
                json!(true),
                json!({}),
                json!([]),
                json!(""),
                json!("a\0b"),
            ] {
                cases.push(self.invalid(&self.with(field, wrong), field));
            }
            cases.push(self.invalid(&self.with(field, json!(too_long)), field));
            for broken in [r#""\ud800""#, r#""\udc00\ud800""#, "tru", "\"a\0b\""] {
                let body = self.with_raw(field, broken);
                let case = self.request.clone().body(body);
                cases.push(case.expect(400, "malformed-body").naming(*field));
            }
            let mut not_utf8 = self.with_raw(field, "\"?\"").into_bytes();
            not_utf8
                .iter_mut()
                .filter(|byte| **byte == b'?')
                .for_each(|byte| *byte = 0xff);
            let case = self.request.clone().body(not_utf8);
            cases.push(case.expect(400, "malformed-body").naming(*field));
        }
        cases
    }

    /// What is wrong with the body as a whole.
    fn as_a_whole(&self) -> Vec<Case> {
        let (request, good) = (|| self.request.clone(), self.good.to_string());
        let unknown = self.with("colour", json!("red"));
        let large = self.with(self.required[0], json!("x".repeat(10 * 1024 * 1024)));
        let deep = format!(
            "{{\"colour\": {}{}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        vec![
            request().body("").expect(400, "malformed-body"),
            request().body("hello").expect(400, "malformed-body"),
            request().body(&good[1..]).expect(400, "malformed-body"),
            request()
                .body(&good[..good.len() - 1])
                .expect(400, "malformed-body"),
            request()
                .body(format!("{good} {good}"))
                .expect(400, "malformed-body"),
            request().body(deep).expect(400, "malformed-body"),
            request().body("null").expect(422, "invalid-body"),
            request().body("7").expect(422, "invalid-body"),
            request()
                .body(format!("[{good}]"))
                .expect(422, "invalid-body"),
            self.invalid(&unknown, "colour"),
            request().json(&large).expect(413, "body-too-large"),
            request()
                .body(vec![b' '; 256 * 1024 + 1])
                .expect(413, "body-too-large"),
            request().expect(415, "unsupported-media-type"),
            request()
                .header("content-type", "text/plain")
                .expect(415, "unsupported-media-type"),
        ]
    }

    fn invalid(&self, body: &Value, field: &str) -> Case {
        let case = self.request.clone().json(body);
        case.expect(422, "invalid-body").naming(field)
    }

    fn without(&self, field: &str) -> Value {
        let mut body = self.good.clone();
        body.as_object_mut().unwrap().remove(field);
        body
    }

    fn with(&self, field: &str, value: Value) -> Value {
        let mut body = self.good.clone();
        body[field] = value;
        body
    }

    /// The good body with `json` in place of the field's value, be it JSON or not.
    fn with_raw(&self, field: &str, json: &str) -> String {
        let body = self.with(field, json!("PLACE")).to_string();
        body.replace("\"PLACE\"", json)
    }
}
