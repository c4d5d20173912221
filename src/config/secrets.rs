//! Secrets: from the environment or from files, never from flags.

use anyhow::{Context, Result};
use fido_commands::secrets::{MasterKey, MasterKeys};
use fido_nats::access::Seed;

use super::VaultPlace;

/// The file in the data folder with the master key that `fido dev` has made.
pub const MASTER_KEY_FILE: &str = "master.key";

/// The master key from the environment or a file, and the one before while it is being rotated.
///
/// # Errors
/// When there is none, or it is not one.
pub fn master_keys() -> Result<MasterKeys> {
    let current = secret("FIDO_MASTER_KEY")?.context(
        "set FIDO_MASTER_KEY or FIDO_MASTER_KEY_FILE (make a key with: openssl rand -hex 32)",
    )?;
    let previous = secret("FIDO_PREVIOUS_MASTER_KEY")?;
    Ok(MasterKeys {
        current: MasterKey::parse(&current)?,
        previous: previous
            .map(|key| MasterKey::parse(&key))
            .transpose()
            .context("FIDO_PREVIOUS_MASTER_KEY")?,
    })
}

/// The same, or the key that `fido dev` has made in its data folder, where the register is too.
///
/// # Errors
/// When there is none, or it is not one.
pub fn master_keys_beside(place: &VaultPlace) -> Result<MasterKeys> {
    let configured = master_keys();
    let made = place
        .register
        .as_ref()
        .map(|register| register.with_file_name(MASTER_KEY_FILE))
        .filter(|file| configured.is_err() && file.exists());
    match made {
        Some(file) => Ok(MasterKey::parse(&std::fs::read_to_string(file)?)?.into()),
        None => configured,
    }
}

/// The model provider's key, if there is one.
///
/// # Errors
/// When the file that is named cannot be read.
pub fn model_api_key() -> Result<Option<String>> {
    secret("FIDO_MODEL_API_KEY")
}

/// The mail server with its password, if there is one.
///
/// # Errors
/// When the file that is named cannot be read.
pub fn smtp_url() -> Result<Option<String>> {
    secret("FIDO_SMTP_URL")
}

/// What this process proves itself with to NATS, if it was given in the environment.
///
/// # Errors
/// When it is no seed, or the file that is named cannot be read.
pub(super) fn nats_seed() -> Result<Option<Seed>> {
    secret("FIDO_NATS_SEED")?
        .map(|seed| Seed::parse(&seed).context("FIDO_NATS_SEED"))
        .transpose()
}

/// The value of `NAME`, or the content of the file that `NAME_FILE` names.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment beside clap: secrets are no flags"
)]
pub(super) fn secret(name: &str) -> Result<Option<String>> {
    if let Ok(value) = std::env::var(name) {
        return Ok(Some(value).filter(|value| !value.trim().is_empty()));
    }
    let Ok(file) = std::env::var(format!("{name}_FILE")) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{name}_FILE names {file}, which cannot be read"))?;
    Ok(Some(text.trim().to_owned()))
}
