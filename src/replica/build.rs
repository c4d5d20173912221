//! Which build of Fido this is.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Tells this build from every other one: the digest of the program. A replica is rebuilt because the
/// projections have changed, and no version number says that as surely.
pub(super) fn build() -> Result<String> {
    let program = std::env::current_exe().context("which program this is cannot be found out")?;
    let mut file =
        File::open(&program).with_context(|| format!("{} cannot be read", program.display()))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => digest.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    let mut digest = hex::encode(digest.finalize());
    digest.truncate(16);
    Ok(digest)
}
