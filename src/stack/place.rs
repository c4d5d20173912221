//! Where a cluster and its socket live: beside the other data, unless the server's user cannot reach that.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use sha2::{Digest, Sha256};

use super::error::{Doing, StackError};
use super::run_as::RunAs;

/// Where clusters go that root keeps for another user who cannot reach the data folder.
const SYSTEM_DATA: &str = "/var/lib/fido";

/// The longest socket folder that leaves room for `/.s.PGSQL.5432` in the 104 bytes macOS allows (Linux: 108).
const LONGEST_SOCKET_DIR: usize = 104 - "/.s.PGSQL.5432".len() - 1;

/// Makes a data folder; only its owner enters, though root lets other users pass through to what is theirs.
pub(super) fn make_data_dir(dir: &Path) -> Result<PathBuf, StackError> {
    let mode = if Uid::effective().is_root() {
        0o711
    } else {
        0o700
    };
    let made = DirBuilder::new().recursive(true).mode(mode).create(dir);
    made.and_then(|()| dir.canonicalize())
        .doing("creating", dir)
}

/// A new empty folder for a cluster, and what makes it the one at `cluster` once it is complete.
pub(super) struct Site {
    pub(super) folder: PathBuf,
    cluster: PathBuf,
    is_near: bool,
}

impl Site {
    /// Chooses a folder within the user's reach: beside `cluster`, else below [`SYSTEM_DATA`].
    pub(super) fn choose(cluster: &Path, user: RunAs) -> Result<Self, StackError> {
        let near = cluster.with_extension("new");
        if near.exists() {
            std::fs::remove_dir_all(&near).doing("removing", &near)?;
        }
        make_private(&near, user)?;
        if user.can_use(&near) {
            return Ok(Self {
                folder: near,
                cluster: cluster.to_owned(),
                is_near: true,
            });
        }
        std::fs::remove_dir(&near).doing("removing", &near)?;
        let system = make_data_dir(Path::new(SYSTEM_DATA))?;
        let far = system.join(random_hex()?);
        make_private(&far, user)?;
        tracing::info!(
            "{} is out of reach of user id {}; the cluster is in {}",
            cluster.display(),
            user.uid(),
            far.display()
        );
        Ok(Self {
            folder: far,
            cluster: cluster.to_owned(),
            is_near: false,
        })
    }

    /// The cluster is complete: from now on it is found at its place.
    pub(super) fn settle(self) -> Result<(), StackError> {
        let settled = if self.is_near {
            std::fs::rename(&self.folder, &self.cluster)
        } else {
            symlink(&self.folder, &self.cluster)
        };
        settled.doing("settling the cluster at", &self.cluster)
    }
}

/// The private folder of the socket of the cluster in `dir`: always the same one, and short.
pub(super) fn make_socket_dir(dir: &Path, user: RunAs) -> Result<PathBuf, StackError> {
    let name = format!("fido-{}", digest(dir, &user.uid().to_be_bytes()));
    for parent in [std::env::temp_dir(), PathBuf::from("/tmp")] {
        let Ok(folder) = parent.canonicalize().map(|parent| parent.join(&name)) else {
            continue;
        };
        if folder.as_os_str().len() > LONGEST_SOCKET_DIR {
            continue;
        }
        make_private(&folder, user)?;
        if user.can_use(&folder) {
            return Ok(folder);
        }
        std::fs::remove_dir(&folder).doing("removing", &folder)?;
    }
    Err(StackError::NoSocketDir { uid: user.uid() })
}

/// Makes a folder that only `user` enters, or checks that the one that is there is such a folder and not a trap.
fn make_private(folder: &Path, user: RunAs) -> Result<(), StackError> {
    if let Err(error) = DirBuilder::new().mode(0o700).create(folder)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(error).doing("creating", folder);
    }
    let found = std::fs::symlink_metadata(folder).doing("looking at", folder)?;
    let is_ours = [user.uid(), Uid::effective().as_raw()].contains(&found.uid());
    if !found.is_dir() || !is_ours || found.mode() & 0o077 != 0 {
        return Err(StackError::NotPrivate {
            dir: folder.to_owned(),
            owner: user.uid(),
        });
    }
    user.own(folder).doing("handing over", folder)
}

/// 128 random bits, as 32 letters and digits.
pub(super) fn random_hex() -> Result<String, StackError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(io::Error::from)
        .doing("reading", Path::new("the system's randomness"))?;
    Ok(hex::encode(bytes))
}

fn digest(path: &Path, salt: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(path.as_os_str().as_bytes())
        .chain_update(salt)
        .finalize();
    hex::encode(&digest[..8])
}
