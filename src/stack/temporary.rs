//! A folder for one test's server: removed by the guard, or by this value while there is no guard yet.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::unistd::Uid;
use tempfile::TempDir;

use super::error::{Doing, StackError};

/// A new folder below the system's temporary one.
pub(super) struct TemporaryDir(TempDir);

impl TemporaryDir {
    /// Makes the folder; under root others may pass through it, as PostgreSQL runs as someone else.
    pub(super) fn make() -> Result<Self, StackError> {
        let mode = if Uid::effective().is_root() {
            0o711
        } else {
            0o700
        };
        let mut builder = tempfile::Builder::new();
        builder
            .prefix("fido-")
            .permissions(std::fs::Permissions::from_mode(mode));
        builder
            .tempdir()
            .map(Self)
            .doing("creating a folder in", &std::env::temp_dir())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// From now on somebody else removes it.
    pub(super) fn keep(self) {
        let _path = self.0.keep();
    }
}
