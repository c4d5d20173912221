//! A private nats-server with JetStream, on a loopback port of its own choice, that lets in only Fido's
//! roles, each for what it does.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fido_nats::access::authorization;
use nix::sys::signal::Signal;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::{Doing, StackError};
use super::find::{Program, Programs};
use super::lock::DirLock;
use super::place::make_data_dir;
use super::process::{Launch, Server, Sign};
use super::temporary::TemporaryDir;
use crate::seeds::Seeds;

/// A running nats-server. Dropped, it is stopped soon; [`stop`](Self::stop) also waits for that.
pub struct NatsServer {
    program: Program,
    dir: PathBuf,
    port: Option<u16>,
    server: Server,
    _lock: DirLock,
}

impl NatsServer {
    /// Starts a server whose streams, configuration and seeds live in `dir`, which is made the first time.
    ///
    /// # Errors
    /// When nats-server is not installed or too old, `dir` is in use, or the server does not become ready.
    pub async fn start(dir: &Path, programs: &Programs) -> Result<Self, StackError> {
        let mut nats = Self::prepare(dir, programs).await?;
        nats.launch().await?;
        Ok(nats)
    }

    /// Starts a server for a test, which vanishes with this process or with the value.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn temporary(programs: &Programs) -> Result<Self, StackError> {
        let dir = TemporaryDir::make()?;
        let mut nats = Self::prepare(dir.path(), programs).await?;
        nats.server.remove_afterwards(dir.path())?;
        dir.keep();
        nats.launch().await?;
        Ok(nats)
    }

    async fn prepare(dir: &Path, programs: &Programs) -> Result<Self, StackError> {
        let dir = make_data_dir(dir)?;
        let lock = DirLock::take(&dir)?;
        let program = programs.nats_server().await?;
        let config = write_config(&dir)?;
        let sign = Sign {
            server: "nats-server",
            command_part: format!("--config {}", config.display()),
            farewell: &[Signal::SIGTERM, Signal::SIGKILL],
        };
        Ok(Self {
            server: Server::prepare(sign, &dir).await?,
            program,
            port: None,
            dir,
            _lock: lock,
        })
    }

    async fn launch(&mut self) -> Result<(), StackError> {
        remove_port_files(&self.dir)?;
        let launch = NatsLaunch {
            program: self.program.path.clone(),
            dir: self.dir.clone(),
            port: self.port,
        };
        self.server.launch(&launch).await?;
        self.port = self.pid().and_then(|pid| port_of(&self.dir, pid));
        tracing::info!(
            process.pid = self.pid(),
            server.port = self.port,
            "nats-server {} is ready (127.0.0.1:{})",
            self.program.version,
            self.port.unwrap_or_default()
        );
        Ok(())
    }

    /// The URL for clients.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.unwrap_or_default())
    }

    /// The folder with the seed of every role.
    pub fn seeds_dir(&self) -> PathBuf {
        seeds_dir(&self.dir)
    }

    /// The process id of the server, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// Where JetStream keeps its streams.
    pub fn store_dir(&self) -> PathBuf {
        self.dir.join("jetstream")
    }

    /// Ends the server with SIGKILL, as a fault would.
    ///
    /// # Errors
    /// When the process does not go away.
    pub async fn kill(&mut self) -> Result<(), StackError> {
        self.server.kill().await
    }

    /// Starts the server again at the same URL, after ending it with SIGKILL if it still runs.
    ///
    /// # Errors
    /// When the server does not become ready.
    pub async fn restart(&mut self) -> Result<(), StackError> {
        self.server.kill().await?;
        self.launch().await
    }

    /// Stops the server.
    ///
    /// # Errors
    /// When the server does not stop in time.
    pub async fn stop(self) -> Result<(), StackError> {
        self.server.stop().await
    }
}

impl fmt::Debug for NatsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsServer")
            .field("dir", &self.dir)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

struct NatsLaunch {
    program: PathBuf,
    dir: PathBuf,
    port: Option<u16>,
}

impl Launch for NatsLaunch {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(config_path(&self.dir));
        // A server that comes back comes back where its clients look for it.
        if let Some(port) = self.port {
            command.arg("--port").arg(port.to_string());
        }
        command.current_dir("/");
        command
    }

    async fn is_ready(&self, pid: u32) -> bool {
        match port_of(&self.dir, pid) {
            Some(port) => greets(port).await,
            None => false,
        }
    }
}

fn config_path(dir: &Path) -> PathBuf {
    dir.join("nats-server.conf")
}

fn seeds_dir(dir: &Path) -> PathBuf {
    dir.join("seeds")
}

/// The configuration. The port is the server's own choice, told in a file.
fn write_config(dir: &Path) -> Result<PathBuf, StackError> {
    let users = Seeds::in_folder(seeds_dir(dir)).complete()?;
    let quoted = serde_json::json!(dir);
    let config = format!(
        "server_name: fido\nhost: \"127.0.0.1\"\nport: -1\nports_file_dir: {quoted}\n\
         jetstream {{ store_dir: {quoted} }}\n{}",
        authorization(&users, &[])
    );
    let path = config_path(dir);
    std::fs::write(&path, config).doing("writing", &path)?;
    Ok(path)
}

fn port_files(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "ports")
    })
}

fn remove_port_files(dir: &Path) -> Result<(), StackError> {
    port_files(dir).try_for_each(|path| std::fs::remove_file(&path).doing("removing", &path))
}

/// The port that the server with this process id says it listens on.
fn port_of(dir: &Path, pid: u32) -> Option<u16> {
    let suffix = format!("_{pid}.ports");
    let file = port_files(dir).find(|path| path.to_string_lossy().ends_with(&suffix))?;
    let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}

/// Whether a server says hello there.
async fn greets(port: u16) -> bool {
    let hello = timeout(Duration::from_secs(1), async {
        let mut greeting = [0; 5];
        TcpStream::connect(("127.0.0.1", port))
            .await?
            .read_exact(&mut greeting)
            .await?;
        std::io::Result::Ok(greeting)
    });
    matches!(hello.await, Ok(Ok(greeting)) if greeting == *b"INFO ")
}
