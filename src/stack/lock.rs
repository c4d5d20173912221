//! One folder of data, one process: a file lock that the operating system releases however that process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::{Doing, StackError};

/// Holds a folder for this process for as long as it lives.
pub(super) struct DirLock(File);

impl Drop for DirLock {
    fn drop(&mut self) {
        // Not left to closing: a child that is just being started has the file open for a moment too.
        let _ = self.0.unlock();
    }
}

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
