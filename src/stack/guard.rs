//! The guard: a small shell process beside each server that stops it when fido ends, even by `kill -9`.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::process::Sign;

/// A process that waits for the pipe from this one to close, and then stops the server it watches.
pub(super) struct Guard {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Starts a guard that watches nothing yet, in a process group of its own so that Ctrl-C does not reach it.
    pub(super) fn start(sign: &Sign) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", include_str!("guard.sh"), "fido-guard"])
            .arg(&sign.command_part)
            .args(
                sign.farewell
                    .iter()
                    .map(|signal| signal.as_str().trim_start_matches("SIG")),
            )
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// From now on this is the process to stop.
    pub(super) fn watch(&mut self, pid: u32) -> io::Result<()> {
        self.tell(pid.to_string().as_bytes())
    }

    /// Removes this folder too, once the server is gone.
    pub(super) fn remove_afterwards(&mut self, folder: &Path) -> io::Result<()> {
        let path = folder.as_os_str().as_bytes();
        if !folder.is_absolute() || path.contains(&b'\n') {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        self.tell(path)
    }

    /// Lets the guard do its work now.
    pub(super) fn release(&mut self) {
        self.pipe = None;
    }

    /// Whether the guard has done its work.
    pub(super) fn is_done(&mut self) -> io::Result<bool> {
        Ok(self.shell.try_wait()?.is_some())
    }

    fn tell(&mut self, line: &[u8]) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => pipe.write_all(&[line, b"\n"].concat()),
            None => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }
}
