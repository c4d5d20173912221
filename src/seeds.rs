//! The secrets with which roles prove themselves to the broker, one file a role in a folder that only
//! its user enters.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fido_nats::access::{NoSeed, Role, Seed};

/// A seed could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SeedsError {
    /// A file or the folder could not be used.
    #[error("{} cannot be used", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system answered.
        #[source]
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} is damaged", path.display())]
    NoSeed {
        /// Which one.
        path: PathBuf,
        /// What it should hold.
        #[source]
        source: NoSeed,
    },
}

/// A folder of seeds.
#[derive(Debug, Clone)]
pub struct Seeds(PathBuf);

impl Seeds {
    /// Those in `folder`, which need not exist yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The file with the seed of `role`.
    pub fn file(&self, role: Role) -> PathBuf {
        self.0.join(format!("{role}.seed"))
    }

    /// Makes a seed for each role that has none; answers with the public key of every role.
    ///
    /// # Errors
    /// [`SeedsError`].
    pub fn complete(&self) -> Result<Vec<(Role, String)>, SeedsError> {
        let folder = &self.0;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(of(folder))?;
        let public = |role| {
            let file = self.file(role);
            if !file.exists() {
                self.make(role)?;
            }
            Ok((role, self.of(role)?.public_key().to_owned()))
        };
        Role::ALL.into_iter().map(public).collect()
    }

    /// The seed of `role`.
    ///
    /// # Errors
    /// [`SeedsError`], also when there is none.
    pub fn of(&self, role: Role) -> Result<Seed, SeedsError> {
        read(&self.file(role))
    }

    /// Whole or not at all, however this process ends.
    fn make(&self, role: Role) -> Result<(), SeedsError> {
        let path = self.file(role);
        let seed = Seed::generate().map_err(|source| SeedsError::NoSeed {
            path: path.clone(),
            source,
        })?;
        let new = path.with_extension("new");
        write_private(&new, seed.expose())
            .and_then(|()| std::fs::rename(&new, &path))
            .map_err(of(&path))
    }
}

/// The seed in `file`.
///
/// # Errors
/// [`SeedsError`].
pub fn read(file: &Path) -> Result<Seed, SeedsError> {
    let text = std::fs::read_to_string(file).map_err(of(file))?;
    Seed::parse(&text).map_err(|source| SeedsError::NoSeed {
        path: file.to_owned(),
        source,
    })
}

fn write_private(file: &Path, text: &str) -> io::Result<()> {
    let mut open: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?;
    writeln!(open, "{text}")?;
    open.sync_all()
}

fn of(path: &Path) -> impl FnOnce(io::Error) -> SeedsError {
    let path = path.to_owned();
    move |source| SeedsError::File { path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn seeds_are_made_once_and_only_their_user_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let seeds = Seeds::in_folder(folder.path().join("seeds"));
        let public = seeds.complete().unwrap();
        assert_eq!(public.len(), Role::ALL.len());
        assert_eq!(seeds.complete().unwrap(), public);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&seeds.0), 0o700);
        for (role, public_key) in public {
            assert_eq!(mode(&seeds.file(role)), 0o600);
            assert_eq!(seeds.of(role).unwrap().public_key(), public_key);
        }
    }

    #[test]
    fn a_damaged_seed_is_neither_used_nor_replaced_nor_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let seeds = Seeds::in_folder(folder.path());
        std::fs::write(seeds.file(Role::Api), "SUNOSEED").unwrap();
        let refused = seeds.complete().unwrap_err();
        assert!(matches!(refused, SeedsError::NoSeed { .. }));
        assert!(!format!("{refused} {refused:?}").contains("SUNOSEED"));
        assert_eq!(std::fs::read(seeds.file(Role::Api)).unwrap(), b"SUNOSEED");
    }
}
