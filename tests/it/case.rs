//! One bad request, and the problem that it must end in.

use std::fmt;

use reqwest::{Method, Response};
use serde_json::Value;

use crate::app::{TestApp, TestUser};

/// A request and what is expected of it.
#[derive(Clone)]
pub(crate) struct Case {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    status: u16,
    problem: &'static str,
    field: Option<String>,
}

impl Case {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            status: 0,
            problem: "",
            field: None,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn by(self, user: &TestUser) -> Self {
        let bearer = format!("Bearer {}", user.token);
        self.header("authorization", bearer)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A body that says it is JSON.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    pub(crate) fn expect(mut self, status: u16, problem: &'static str) -> Self {
        self.status = status;
        self.problem = problem;
        self
    }

    pub(crate) fn naming(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// With a parameter, as it stands in a URL.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        let sign = if self.path.contains('?') { '&' } else { '?' };
        self.path.push_str(&format!("{sign}{name}={value}"));
        self
    }

    /// Sends the request.
    pub(crate) async fn answer(&self, app: &TestApp) -> Response {
        let mut request = app
            .http
            .request(self.method.clone(), app.url(&self.path))
            .body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await;
        answer.unwrap_or_else(|error| panic!("{self} was not answered: {error:?}"))
    }

    /// Sends the request and looks at the answer.
    pub(crate) async fn check(&self, app: &TestApp) {
        let response = self.answer(app).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        assert_eq!(status, self.status, "{self}: {text}");
        assert_eq!(
            headers["content-type"], "application/problem+json",
            "{self}"
        );

        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            problem["type"],
            format!("/problems/{}", self.problem),
            "{self}"
        );
        assert_eq!(problem["status"], self.status, "{self}");
        assert!(problem["title"].is_string(), "{self}: {text}");
        assert_eq!(
            problem["request_id"],
            headers["x-request-id"].to_str().unwrap()
        );
        assert_eq!(
            headers.contains_key("www-authenticate"),
            status == 401,
            "{self}"
        );
        assert_eq!(headers.contains_key("allow"), status == 405, "{self}");
        if let Some(field) = &self.field {
            let errors = problem["errors"].as_array().unwrap();
            let named = errors.iter().any(|error| error["field"] == **field);
            assert!(named, "{self} must name {field}: {text}");
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let beginning: String = body.chars().take(100).collect();
        write!(f, "{} {} {beginning}", self.method, self.path)
    }
}
