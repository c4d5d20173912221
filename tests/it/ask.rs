//! One request of a client, with whatever headers it has, and what it is answered.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::app::{TestApp, TestUser};

/// A request of somebody who is signed in.
pub(crate) struct Ask<'a> {
    app: &'a TestApp,
    request: reqwest::RequestBuilder,
}

/// What it was answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    headers: HeaderMap,
    /// The body as JSON, or as a text where it is none.
    pub(crate) body: Value,
}

impl TestApp {
    pub(crate) fn ask(&self, user: &TestUser, method: Method, path: &str) -> Ask<'_> {
        let request = self.http.request(method, self.url(path));
        Ask {
            app: self,
            request: request.bearer_auth(&user.token),
        }
    }
}

impl<'a> Ask<'a> {
    pub(crate) fn header(self, name: &str, value: impl ToString) -> Self {
        Self {
            request: self.request.header(name, value.to_string()),
            ..self
        }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        Self {
            request: self.request.json(body),
            ..self
        }
    }

    /// Of a replica that is at `position` at least.
    pub(crate) fn at(self, position: i64) -> Self {
        self.header("Fido-Min-Position", position)
    }

    pub(crate) async fn send(self) -> Told {
        let response = self.request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Told {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    /// Sends it and expects `status`.
    pub(crate) async fn expect(self, status: u16) -> Told {
        let url = self.app.url("");
        let told = self.send().await;
        assert_eq!(told.status, status, "{url}: {}", told.body);
        told
    }

    /// Sends it and expects a problem.
    pub(crate) async fn refused(self, status: u16, problem: &str) -> Told {
        let told = self.expect(status).await;
        assert_eq!(told.body["type"], format!("/problems/{problem}"));
        told
    }
}

impl Told {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub(crate) fn etag(&self) -> String {
        self.header("etag").expect("an ETag").to_owned()
    }

    pub(crate) fn position(&self) -> i64 {
        let position = self.header("fido-position").expect("a position");
        position.parse().unwrap()
    }

    /// The id of what was made.
    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }
}
