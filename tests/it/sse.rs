//! A reader of server-sent events, as a browser reads them.

use std::time::Duration;

use serde_json::Value;

/// One event of a stream.
#[derive(Debug, Clone)]
pub(crate) struct SseEvent {
    pub(crate) id: Option<i64>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// A stream being read.
pub(crate) struct Sse {
    response: reqwest::Response,
    buffer: String,
}

/// Longer than anything takes that is going to happen at all.
const PATIENCE: Duration = Duration::from_secs(60);

impl Sse {
    /// Opens the stream at `url`, behind `last_event_id` if one is given.
    pub(crate) async fn open(
        http: &reqwest::Client,
        url: String,
        token: &str,
        last_event_id: Option<i64>,
    ) -> Self {
        let opened = Self::try_open(http, url, token, last_event_id).await;
        opened.unwrap_or_else(|refused| panic!("{}", refused.status()))
    }

    /// The same; or what the server says instead.
    pub(crate) async fn try_open(
        http: &reqwest::Client,
        url: String,
        token: &str,
        last_event_id: Option<i64>,
    ) -> Result<Self, reqwest::Response> {
        let mut request = http.get(url).bearer_auth(token);
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.unwrap();
        if response.status() != 200 {
            return Err(response);
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Ok(Self {
            response,
            buffer: String::new(),
        })
    }

    /// The next event; panics when none comes.
    pub(crate) async fn next(&mut self) -> SseEvent {
        tokio::time::timeout(PATIENCE, self.read())
            .await
            .expect("an event in time")
            .expect("an event, not the end of the stream")
    }

    /// The next event, or none when the stream ends or breaks.
    pub(crate) async fn read(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                match parse(&block) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            // Blocks are split at line ends, which no multi-byte character contains.
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event of this name.
    pub(crate) async fn next_named(&mut self, name: &str) -> SseEvent {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }
}

/// None for a block of comments.
fn parse(block: &str) -> Option<SseEvent> {
    let (mut id, mut name, mut data) = (None, None, String::new());
    for line in block.lines() {
        match line.split_once(": ").or_else(|| line.split_once(':')) {
            Some(("id", value)) => id = Some(value.parse().unwrap()),
            Some(("event", value)) => name = Some(value.to_owned()),
            Some(("data", value)) => data.push_str(value),
            _ => {}
        }
    }
    Some(SseEvent {
        id,
        name: name?,
        data: serde_json::from_str(&data).unwrap(),
    })
}
