//! `fido dev` is killed in the middle of a reply and started again on the same folder.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::app::http_client;
use crate::sse::Sse;

async fn dev(data_dir: &Path, tokens_per_second: u32) -> (Child, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_fido"))
        .args(["dev", "--port", "0", "--data-dir"])
        .arg(data_dir)
        .args([
            "--offline-tokens-per-second",
            &tokens_per_second.to_string(),
        ])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(Duration::from_secs(120), lines.next_line())
        .await
        .expect("ready in time")
        .unwrap()
        .expect("ready, not the end");
    let (_, base) = line.split_once("ready at ").unwrap();
    (process, base.to_owned())
}

async fn post(http: &reqwest::Client, url: String, token: &str, body: Value) -> Value {
    let response = http
        .post(url)
        .bearer_auth(token)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_survives_kill_9_of_everything_and_is_completed_once() {
    let folder = tempfile::tempdir().unwrap();
    // Slow enough that the reply is certainly not whole when the first tokens are seen.
    let (mut first, base) = dev(folder.path(), 5).await;
    let http = http_client();
    let account = post(
        &http,
        format!("{base}/v1/accounts"),
        "",
        json!({"email": "ada@example.com", "password": "correct horse", "display_name": "Ada"}),
    )
    .await;
    let token = account["token"].as_str().unwrap().to_owned();
    let conversation = post(
        &http,
        format!("{base}/v1/conversations"),
        &token,
        json!({"copilot": "growth_engine"}),
    )
    .await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut stream = Sse::open(&http, format!("{base}/v1/stream"), &token, None).await;
    stream.next_named("hello").await;
    let posted = post(
        &http,
        format!("{base}/v1/conversations/{conversation}/messages"),
        &token,
        json!({"text": "How do I find customers for my bakery?"}),
    )
    .await;
    let started = stream.next_named("conversation.reply_started").await;
    stream.next_named("reply.delta").await;
    stream.next_named("reply.delta").await;
    first.kill().await.unwrap();

    let (mut second, base) = dev(folder.path(), 0).await;
    let after = started.id.unwrap();
    let url = format!("{base}/v1/stream?after={after}");
    let mut stream = Sse::open(&http, url, &token, None).await;
    let completed = stream.next_named("conversation.reply_completed").await;
    assert_eq!(completed.data["payload"]["reply_id"], posted["reply"]["id"]);
    assert_eq!(completed.data["payload"]["attempt"], 2);

    let transcript: Value = http
        .get(format!("{base}/v1/conversations/{conversation}/messages"))
        .bearer_auth(&token)
        .header("Fido-Min-Position", completed.id.unwrap())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let items = transcript["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "the message and one reply: {transcript}");
    assert_eq!(items[0]["id"], posted["message"]["id"]);
    assert_eq!(items[1]["id"], posted["reply"]["id"]);
    assert_eq!(items[1]["status"], "complete");

    let shown = Command::new(env!("CARGO_BIN_EXE_fido"))
        .args(["audit", "show", "conversation", &conversation, "--data-dir"])
        .arg(folder.path())
        .output()
        .await
        .unwrap();
    let timeline = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(timeline.matches("reply_completed").count(), 1, "{timeline}");
    assert_eq!(timeline.matches("reply_started").count(), 2, "{timeline}");
    let status = Command::new(env!("CARGO_BIN_EXE_fido"))
        .args(["status", "--json", "--data-dir"])
        .arg(folder.path())
        .output()
        .await
        .unwrap();
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["head"], status["stream"]["last"], "{status}");

    // Told to stop, it stops everything.
    let pid = nix::unistd::Pid::from_raw(i32::try_from(second.id().unwrap()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(second.wait().await.unwrap().success());
    assert!(!folder.path().join("addresses.json").exists());
}
