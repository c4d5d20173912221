//! The register of erasures: a file of JSON lines outside all databases, which only grows.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fido_domain::Position;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::vault::StreamId;

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erased {
    /// Everything of a person.
    Subject(Uuid),
    /// One stream.
    Stream(StreamId),
}

/// A line of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was erased.
    #[serde(flatten)]
    pub erased: Erased,
    /// Where the log says so.
    pub position: Position,
    /// When its key was destroyed.
    #[serde(with = "time::serde::rfc3339")]
    pub erased_at: OffsetDateTime,
}

/// The register could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The file system said no.
    #[error("the file {file} cannot be used", file = file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// A line that is no entry, other than a last one that a crash has cut short.
    #[error("line {line} of {file} is no entry; a register is never edited", file = file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1 on.
        line: usize,
    },
}

/// The register. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Register {
    file: Arc<PathBuf>,
}

impl Register {
    /// The register in `file`, which need not be there yet.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: Arc::new(file.into()),
        }
    }

    /// Writes `entry` down; when this returns it is on the disk.
    pub(super) async fn enter(&self, entry: Entry) -> Result<(), RegisterError> {
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || append(&file, &entry)).await;
        let written = written.unwrap_or_else(|gone| Err(std::io::Error::other(gone)));
        written.map_err(|source| self.failed(source))
    }

    /// Everything that was ever erased; nothing when there is no file yet.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub async fn entries(&self) -> Result<Vec<Entry>, RegisterError> {
        let text = match tokio::fs::read_to_string(self.file.as_path()).await {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed(source)),
        };
        let mut entries = Vec::new();
        for (line, text) in (1..).zip(text.split_inclusive('\n')) {
            match serde_json::from_str(text) {
                Ok(entry) => entries.push(entry),
                // Cut short by a crash: then nobody was told of it, and the erasure is resumed.
                Err(_) if !text.ends_with('\n') => break,
                Err(_) => {
                    return Err(RegisterError::Damaged {
                        file: self.file.to_path_buf(),
                        line,
                    });
                }
            }
        }
        Ok(entries)
    }

    fn failed(&self, source: std::io::Error) -> RegisterError {
        RegisterError::File {
            file: self.file.to_path_buf(),
            source,
        }
    }
}

/// One writer at a time, in whichever process. A last line that a crash has cut short goes first.
fn append(file: &Path, entry: &Entry) -> std::io::Result<()> {
    let mut open = OpenOptions::new();
    open.read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = open.open(file)?;
    file.lock()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last + 1);
    file.set_len(whole as u64)?;
    file.seek(SeekFrom::End(0))?;
    let mut line = serde_json::to_string(entry)?;
    line.push('\n');
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u128) -> Entry {
        Entry {
            erased: Erased::Subject(Uuid::from_u128(n)),
            position: 7,
            erased_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_short_does_no_harm_and_any_other_damage_shows() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("erasures.jsonl");
        let register = Register::new(&file);
        assert_eq!(register.entries().await.unwrap(), []);
        register.enter(entry(1)).await.unwrap();
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{whole}{{\"subject\":\"000")).unwrap();
        assert_eq!(register.entries().await.unwrap(), [entry(1)]);
        register.enter(entry(2)).await.unwrap();
        assert_eq!(register.entries().await.unwrap(), [entry(1), entry(2)]);
        std::fs::write(&file, format!("{{}}\n{whole}")).unwrap();
        assert!(matches!(
            register.entries().await,
            Err(RegisterError::Damaged { line: 1, .. })
        ));
    }
}
