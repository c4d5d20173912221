//! Why the embedded servers could not be started or stopped, said so that a person can act on it.

use std::path::{Path, PathBuf};

use super::find::Version;
use crate::seeds::SeedsError;

/// Why the embedded servers could not be found, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// A program is not installed.
    #[error("{program} is not installed; install it with {install}")]
    Missing {
        /// The program looked for.
        program: &'static str,
        /// The command that installs it on this kind of machine.
        install: &'static str,
    },

    /// Only releases older than the required one are installed.
    #[error("{} is {program} {found}, but {needed} or later is needed; install it with {install}", path.display())]
    TooOld {
        /// The program looked for.
        program: &'static str,
        /// The newest one found.
        path: PathBuf,
        /// Its version.
        found: Version,
        /// The oldest version that works.
        needed: Version,
        /// The command that installs it on this kind of machine.
        install: &'static str,
    },

    /// The data in the folder belongs to another major version of PostgreSQL than the installed ones.
    #[error(
        "the data in {} was written by PostgreSQL {major}, which is not installed; install postgresql-{major}, or remove the folder to begin anew",
        cluster.display()
    )]
    OtherMajor {
        /// The cluster's folder.
        cluster: PathBuf,
        /// The major version that wrote it.
        major: u32,
    },

    /// Another process uses the folder.
    #[error("{} is in use by process {pid}; stop that one first or choose another folder", dir.display())]
    InUse {
        /// The locked folder.
        dir: PathBuf,
        /// The process that holds the lock, as it wrote itself down.
        pid: String,
    },

    /// A folder that must be private is not.
    #[error("{} must be a folder that only user id {owner} can enter; remove it and start again", dir.display())]
    NotPrivate {
        /// The folder.
        dir: PathBuf,
        /// The user id that should own it.
        owner: u32,
    },

    /// PostgreSQL refuses to run as root and no other user can stand in.
    #[error(
        "PostgreSQL cannot run as root, and this machine has neither a user `postgres` nor `nobody`"
    )]
    NoUser,

    /// No folder for the socket is short enough and within reach of the server's user.
    #[error(
        "no temporary folder is short enough (and within reach of user id {uid}) for PostgreSQL's socket"
    )]
    NoSocketDir {
        /// The user that PostgreSQL runs as.
        uid: u32,
    },

    /// A helper program such as `initdb` failed.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// The program that was run.
        program: &'static str,
        /// What it printed.
        output: String,
    },

    /// A server ended, or took too long, before it was ready.
    #[error("{server} {what}; the end of its log ({}):\n{tail}", log.display())]
    NotReady {
        /// The server.
        server: &'static str,
        /// What happened instead.
        what: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },

    /// A server did not go away in time.
    #[error("{server} (process {pid}) did not stop in time")]
    StillRunning {
        /// The server.
        server: &'static str,
        /// Its process.
        pid: u32,
    },

    /// The file system or a process could not be used.
    #[error("{doing}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// What the operating system answered.
        source: std::io::Error,
    },

    /// The broker's users have no seeds.
    #[error(transparent)]
    Seeds(#[from] SeedsError),

    /// The running PostgreSQL refused a statement.
    #[error("{doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// What PostgreSQL answered.
        source: sqlx::Error,
    },
}

/// Says what was being done when the operating system refused.
pub(super) trait Doing<T> {
    /// Adds `<verb> <path>` to a failure.
    fn doing(self, verb: &str, path: &Path) -> Result<T, StackError>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, verb: &str, path: &Path) -> Result<T, StackError> {
        self.map_err(|source| StackError::Io {
            doing: format!("{verb} {}", path.display()),
            source,
        })
    }
}
