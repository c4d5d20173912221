//! Whom PostgreSQL runs as: whoever started fido or, since PostgreSQL refuses root, a user without privileges.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User};

use super::error::StackError;

/// The user of a server process.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunAs {
    /// The user that started fido.
    Caller,
    /// Another one, because root started fido.
    Other { uid: u32, gid: u32 },
}

impl RunAs {
    /// Chooses the user: the owner of an existing cluster, else `postgres` or `nobody` where root asks.
    pub(super) fn choose(cluster: &Path) -> Result<Self, StackError> {
        if !Uid::effective().is_root() {
            return Ok(Self::Caller);
        }
        if let Some(found) = std::fs::metadata(cluster)
            .ok()
            .filter(|found| found.uid() != 0)
        {
            return Ok(Self::Other {
                uid: found.uid(),
                gid: found.gid(),
            });
        }
        let mut users = ["postgres", "nobody"]
            .iter()
            .filter_map(|name| User::from_name(name).ok().flatten());
        let user = users
            .find(|user| !user.uid.is_root())
            .ok_or(StackError::NoUser)?;
        Ok(Self::Other {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        })
    }

    /// The user id.
    pub(super) fn uid(self) -> u32 {
        match self {
            Self::Caller => Uid::effective().as_raw(),
            Self::Other { uid, .. } => uid,
        }
    }

    /// A command that runs as this user, in `/` and in English. Setting the user id also drops root's other groups.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C");
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes this user the owner of a folder.
    pub(super) fn own(self, folder: &Path) -> io::Result<()> {
        match self {
            Self::Caller => Ok(()),
            Self::Other { uid, gid } => std::os::unix::fs::chown(folder, Some(uid), Some(gid)),
        }
    }

    /// Whether this user can really write in a folder, found out by asking as that user.
    pub(super) fn can_use(self, folder: &Path) -> bool {
        let mut command = self.command(Path::new("/bin/sh"));
        command
            .args(["-c", r#"test -w "$1" && test -x "$1""#, "can-use"])
            .arg(folder);
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }
}
