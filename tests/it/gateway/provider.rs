//! A provider that follows a script, byte for byte, so that it can do what no proper server does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// An event with some text.
pub(super) fn chunk(text: &str) -> String {
    event(&serde_json::json!({"content": text}), None)
}

/// An event that says why the text ends.
pub(super) fn finish(reason: &str) -> String {
    event(&serde_json::json!({}), Some(reason))
}

fn event(delta: &serde_json::Value, finish_reason: Option<&str>) -> String {
    let data = serde_json::json!({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    });
    format!("data: {data}\n\n")
}

/// What to send, and what to do afterwards.
#[derive(Clone)]
pub(super) struct Script {
    head: String,
    writes: Vec<Vec<u8>>,
    pause: Duration,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    /// As HTTP wants it.
    Properly,
    /// In the middle of a body.
    Break,
    /// Not at all.
    Hang,
}

impl Script {
    pub(super) fn stream(events: impl IntoIterator<Item = String>) -> Self {
        Self {
            head: head("200 OK", "text/event-stream"),
            writes: events.into_iter().map(String::into_bytes).collect(),
            pause: Duration::ZERO,
            end: End::Properly,
        }
    }

    /// A stream, each byte in a packet of its own.
    pub(super) fn bytewise(bytes: &[u8]) -> Self {
        Self {
            writes: bytes.iter().map(|byte| vec![*byte]).collect(),
            ..Self::stream([])
        }
        .every(Duration::from_micros(100))
    }

    pub(super) fn refuse(status: u16, body: &str) -> Self {
        Self {
            head: head(&format!("{status} Refused"), "application/json"),
            ..Self::stream([body.to_owned()])
        }
    }

    /// Takes the request and says nothing.
    pub(super) fn silent() -> Self {
        Self {
            head: String::new(),
            ..Self::stream([])
        }
        .then_hang()
    }

    pub(super) fn with_header(mut self, header: &str) -> Self {
        self.head = format!("{}{header}\r\n", self.head);
        self
    }

    pub(super) fn every(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    pub(super) fn then_break(self) -> Self {
        Self {
            end: End::Break,
            ..self
        }
    }

    pub(super) fn then_hang(self) -> Self {
        Self {
            end: End::Hang,
            ..self
        }
    }
}

/// A status line and headers, without the empty line behind them.
fn head(status: &str, content_type: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n")
}

/// A server that plays its script to every request.
pub(super) struct Provider {
    pub(super) base_url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    hung_up: Notify,
}

impl Provider {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let server_seen = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(play(connection, script.clone(), Arc::clone(&server_seen)));
            }
        });
        Self { base_url, seen }
    }

    pub(super) fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// Returns once a client closed its connection to a script that hangs.
    pub(super) async fn hung_up(&self) {
        self.seen.hung_up.notified().await;
    }
}

async fn play(mut connection: TcpStream, script: Script, seen: Arc<Seen>) {
    connection.set_nodelay(true).unwrap();
    read_request(&mut connection).await;
    seen.requests.fetch_add(1, Ordering::SeqCst);
    if !script.head.is_empty() {
        send(&mut connection, format!("{}\r\n", script.head).as_bytes()).await;
    }
    for bytes in &script.writes {
        let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
        framed.extend_from_slice(bytes);
        framed.extend_from_slice(b"\r\n");
        send(&mut connection, &framed).await;
        tokio::time::sleep(script.pause).await;
    }
    match script.end {
        End::Properly => send(&mut connection, b"0\r\n\r\n").await,
        End::Break => {}
        End::Hang => {
            // Nothing more is to be read, so that this waits for the end of the connection.
            let _ = connection.read(&mut [0; 64]).await;
            seen.hung_up.notify_one();
        }
    }
}

/// Writes, unless the client has gone.
async fn send(connection: &mut TcpStream, bytes: &[u8]) {
    let _ = connection.write_all(bytes).await;
    let _ = connection.flush().await;
}

/// Reads the headers, and as much of a body as they announce.
async fn read_request(connection: &mut TcpStream) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = connection.read(&mut buffer).await.unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(read > 0, "the request broke off");
            continue;
        };
        let announced: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        if body.len() >= announced || read == 0 {
            return;
        }
    }
}
