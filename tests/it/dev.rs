//! The real `fido dev`, run by a test in a folder of its own.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fido::config::Addresses;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running `fido dev`; its lines of log, at every level, are in a file of its folder.
pub(crate) struct Dev {
    pub(crate) base: String,
    data_dir: PathBuf,
    process: Child,
}

impl Dev {
    /// With an offline model that writes as fast as it can.
    pub(crate) async fn start(data_dir: &Path) -> Self {
        Self::start_paced(data_dir, 0).await
    }

    /// With an offline model that writes so many tokens a second.
    pub(crate) async fn start_paced(data_dir: &Path, tokens_per_second: u32) -> Self {
        let tokens = tokens_per_second.to_string();
        Self::run_with(data_dir, &["--offline-tokens-per-second", &tokens]).await
    }

    /// With these arguments as well.
    pub(crate) async fn start_with(data_dir: &Path, arguments: &[&str]) -> Self {
        let fast = ["--offline-tokens-per-second", "0"];
        Self::run_with(data_dir, &[&fast, arguments].concat()).await
    }

    async fn run_with(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut open = OpenOptions::new();
        let log = open.create(true).append(true).open(data_dir.join("log"));
        let mut process = Command::new(env!("CARGO_BIN_EXE_fido"))
            .args(["dev", "--port", "0", "--log", "trace", "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log.unwrap())
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
        Self {
            base: base.to_owned(),
            data_dir: data_dir.to_owned(),
            process,
        }
    }

    /// Ends it as an operator does, and waits for that.
    pub(crate) async fn stop(mut self) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        assert!(self.process.wait().await.unwrap().success());
    }

    /// Ends it with SIGKILL, as a fault does.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    pub(crate) fn addresses(&self) -> Addresses {
        let text = std::fs::read_to_string(self.data_dir.join("addresses.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The event store as the owner of its schema.
    pub(crate) fn events_owner_url(&self) -> String {
        self.addresses()
            .events_url
            .replace("fido_app@", "fido_owner@")
    }

    /// Runs another subcommand on the same folder; answers with what it prints.
    pub(crate) async fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_fido"))
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.data_dir)
            .output()
            .await
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks the API; answers with the status and the body.
    pub(crate) async fn ask(
        &self,
        http: &reqwest::Client,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }
}
