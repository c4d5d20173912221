//! One folder of data, one process: a file lock that the operating system releases however that process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::{Doing, StackError};

/// Holds a folder for this process for as long as it lives.
pub(super) struct DirLock(#[expect(dead_code, reason = "held open, the lock ends with it")] File);

impl DirLock {
    /// Takes `dir/lock`, or tells which process has it.
    pub(super) fn take(dir: &Path) -> Result<Self, StackError> {
        let path = dir.join("lock");
        let mut options = OpenOptions::new();
        options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600);
        let mut file = options.open(&path).doing("opening", &path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).doing("emptying", &path)?;
                write!(file, "{}", std::process::id()).doing("writing", &path)?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => Err(StackError::InUse {
                dir: dir.to_owned(),
                pid: std::fs::read_to_string(&path).unwrap_or_default(),
            }),
            Err(TryLockError::Error(source)) => Err(source).doing("locking", &path),
        }
    }
}
