//! One server process: started, awaited, killed and stopped, and recognised when an earlier fido left it behind.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::error::{Doing, StackError};
use super::guard::Guard;

const READY_WITHIN: Duration = Duration::from_secs(120);
const GONE_WITHIN: Duration = Duration::from_secs(90);
const GLANCE: Duration = Duration::from_millis(10);

/// What a server says when its predecessor is not quite gone; another try soon succeeds.
const PREDECESSOR_LINGERS: [&str; 3] = ["still in use", "already exists", "address already in use"];

/// What a server is recognised by, and how it is asked to end.
#[derive(Clone)]
pub(super) struct Sign {
    pub(super) server: &'static str,
    /// A part of the command line that no other process has.
    pub(super) command_part: String,
    /// The signals that stop it, the mildest first.
    pub(super) farewell: &'static [Signal],
}

/// How one kind of server is started.
pub(super) trait Launch: Sync {
    /// The command that is the server.
    fn command(&self) -> Command;

    /// Whether the server that became this process answers.
    fn is_ready(&self, pid: u32) -> impl Future<Output = bool> + Send;
}

/// A server of this process, with the guard that outlives this process.
pub(super) struct Server {
    sign: Sign,
    log: PathBuf,
    /// Where the log of the present process begins.
    log_begins: u64,
    pid_file: PathBuf,
    guard: Guard,
    child: Option<Child>,
}

impl Server {
    /// Prepares a server that keeps its log and process id in `dir`, and stops one that was left behind there.
    pub(super) async fn prepare(sign: Sign, dir: &Path) -> Result<Self, StackError> {
        let log = dir.join("log");
        if log.exists() {
            std::fs::rename(&log, dir.join("log.previous")).doing("renaming", &log)?;
        }
        let server = Self {
            pid_file: dir.join("pid"),
            guard: Guard::start(&sign).doing("starting the guard", Path::new("/bin/sh"))?,
            child: None,
            log_begins: 0,
            log,
            sign,
        };
        server.end_left_behind(&server.pid_file).await?;
        Ok(server)
    }

    /// Removes this folder once the server is gone, however this process ends.
    pub(super) fn remove_afterwards(&mut self, folder: &Path) -> Result<(), StackError> {
        self.guard
            .remove_afterwards(folder)
            .doing("leaving to the guard", folder)
    }

    /// Starts the process and waits until it is ready.
    pub(super) async fn launch(&mut self, launch: &impl Launch) -> Result<(), StackError> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let pid = self.spawn(launch.command())?;
            if self.becomes_ready(launch, pid, deadline).await? {
                return Ok(());
            }
            sleep(10 * GLANCE).await;
        }
    }

    /// False when the process ended because its predecessor is not quite gone, and another try may succeed.
    async fn becomes_ready(
        &mut self,
        launch: &impl Launch,
        pid: u32,
        deadline: Instant,
    ) -> Result<bool, StackError> {
        while !launch.is_ready(pid).await {
            let is_late = Instant::now() > deadline;
            if let Some(status) = self.exited()? {
                let tail = self.log_tail();
                if !is_late && PREDECESSOR_LINGERS.iter().any(|words| tail.contains(words)) {
                    return Ok(false);
                }
                return Err(self.not_ready(format!("ended with {status} before it was ready")));
            }
            if is_late {
                let seconds = READY_WITHIN.as_secs();
                return Err(self.not_ready(format!("was not ready within {seconds} s")));
            }
            sleep(GLANCE).await;
        }
        Ok(true)
    }

    /// The process id, while the server runs.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// How the process ended, if it has.
    pub(super) fn exited(&mut self) -> Result<Option<std::process::ExitStatus>, StackError> {
        let status = match &mut self.child {
            Some(child) => child.try_wait().doing("waiting for", &self.pid_file)?,
            None => None,
        };
        if status.is_some() {
            self.child = None;
        }
        Ok(status)
    }

    /// Ends the process with SIGKILL, as a fault would.
    pub(super) async fn kill(&mut self) -> Result<(), StackError> {
        if let Some(child) = &mut self.child {
            child
                .kill()
                .doing("killing the process of", &self.pid_file)?;
        }
        self.wait_gone().await
    }

    /// Stops the process and lets the guard tidy up.
    pub(super) async fn stop(mut self) -> Result<(), StackError> {
        if let (Some(pid), Some(signal)) = (self.pid(), self.sign.farewell.first()) {
            signal_process(pid, *signal);
        }
        self.guard.release();
        self.wait_gone().await?;
        let deadline = Instant::now() + GONE_WITHIN;
        while !self
            .guard
            .is_done()
            .doing("waiting for the guard of", &self.pid_file)?
            && Instant::now() < deadline
        {
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Stops the server that this file names, if it is really one of ours that outlived its fido.
    pub(super) async fn end_left_behind(&self, pid_file: &Path) -> Result<(), StackError> {
        let Some(pid) = first_line_number(pid_file) else {
            return Ok(());
        };
        let runs = || command_line(pid).is_some_and(|line| line.contains(&self.sign.command_part));
        let patience = GONE_WITHIN / u32::try_from(self.sign.farewell.len()).unwrap_or(1);
        for signal in self.sign.farewell {
            if !runs() {
                return Ok(());
            }
            tracing::info!(
                process.pid = pid,
                "{} of an earlier run still runs; stopping it ({signal})",
                self.sign.server
            );
            signal_process(pid, *signal);
            let deadline = Instant::now() + patience;
            while runs() && Instant::now() < deadline {
                sleep(GLANCE).await;
            }
        }
        if runs() {
            return Err(StackError::StillRunning {
                server: self.sign.server,
                pid,
            });
        }
        Ok(())
    }

    fn spawn(&mut self, mut command: Command) -> Result<u32, StackError> {
        let program = PathBuf::from(command.get_program());
        let log = append(&self.log).doing("opening", &self.log)?;
        self.log_begins = log.metadata().doing("looking at", &self.log)?.len();
        let errors = log.try_clone().doing("opening", &self.log)?;
        command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0);
        let child = command.spawn().doing("starting", &program)?;
        let pid = child.id();
        self.child = Some(child);
        self.guard
            .watch(pid)
            .doing("telling the guard of", &program)?;
        std::fs::write(&self.pid_file, pid.to_string()).doing("writing", &self.pid_file)?;
        Ok(pid)
    }

    async fn wait_gone(&mut self) -> Result<(), StackError> {
        let deadline = Instant::now() + GONE_WITHIN;
        while let (Some(pid), None) = (self.pid(), self.exited()?) {
            if Instant::now() > deadline {
                return Err(StackError::StillRunning {
                    server: self.sign.server,
                    pid,
                });
            }
            sleep(GLANCE).await;
        }
        Ok(())
    }

    fn not_ready(&self, what: String) -> StackError {
        StackError::NotReady {
            server: self.sign.server,
            what,
            log: self.log.clone(),
            tail: self.log_tail(),
        }
    }

    /// What the present process logged last, at most two kilobytes; nothing when that cannot be read.
    fn log_tail(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut log) = File::open(&self.log) {
            let end = log.seek(SeekFrom::End(0)).unwrap_or(0);
            let begin = self.log_begins.max(end.saturating_sub(2048));
            let _unreadable = log
                .seek(SeekFrom::Start(begin))
                .and_then(|_| log.read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }
}

/// The number in the first line of a file, which is where pid files have it.
pub(super) fn first_line_number(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path)
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

/// The command line of a running process.
pub(super) fn command_line(pid: u32) -> Option<String> {
    let line = if Path::new("/proc/self").exists() {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&arguments).replace('\0', " ")
    } else {
        let listed = Command::new("ps")
            .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
            .output()
            .ok()?;
        String::from_utf8_lossy(&listed.stdout).into_owned()
    };
    (!line.trim().is_empty()).then_some(line)
}

fn signal_process(pid: u32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid.cast_signed()), signal) {
        tracing::debug!(
            process.pid = pid,
            "{signal} did not reach the process: {error}"
        );
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}
