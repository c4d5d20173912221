//! A browser, as far as signing in needs one: it keeps cookies, and goes where it is sent.

use std::collections::BTreeMap;

use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;

/// A browser with cookies of its own.
#[derive(Clone)]
pub(super) struct Browser {
    http: Client,
    pub(super) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(super) fn new() -> Self {
        let http = Client::builder().redirect(redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens `url`, without going on to where it may be sent.
    pub(super) async fn open(&mut self, url: &str) -> Response {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let request = self.http.get(url).header("cookie", cookies.join("; "));
        let response = request.send().await.unwrap();
        self.keep(&response);
        response
    }

    /// Keeps the cookies of `response`.
    pub(super) fn keep(&mut self, response: &Response) {
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Opens `url`, which sends the browser elsewhere, and answers with where to.
    pub(super) async fn sent_by(&mut self, url: &str) -> String {
        let response = self.open(url).await;
        let status = response.status();
        let to = response.headers().get("location").cloned();
        if status != StatusCode::SEE_OTHER {
            panic!("{url}: {status} {}", response.text().await.unwrap());
        }
        to.unwrap().to_str().unwrap().to_owned()
    }

    /// Opens `url`, and answers with the problem that it ends in.
    pub(super) async fn refused_by(&mut self, url: &str) -> (u16, String) {
        let response = self.open(url).await;
        let status = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        let name = problem["type"].as_str().unwrap();
        (status, name.strip_prefix("/problems/").unwrap().to_owned())
    }
}
