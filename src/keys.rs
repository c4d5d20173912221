//! `fido keys rotate`: wraps every key with the new master key; no event is touched.

use anyhow::{Result, bail};
use fido_commands::Vault;
use fido_commands::vault::Rotated;

use crate::config::{self, KeysRotateArgs};
use crate::pools;

/// Rotates, and says what was done.
///
/// # Errors
/// When the vault cannot be reached, or a key is wrapped with a master key that is not at hand.
pub async fn rotate(args: &KeysRotateArgs) -> Result<String> {
    let keys = config::master_keys()?;
    let Some(previous) = keys.previous.clone() else {
        bail!(
            "set FIDO_PREVIOUS_MASTER_KEY to the master key in use, and FIDO_MASTER_KEY to the new \
             one (make it with: openssl rand -hex 32)"
        );
    };
    let new = keys.current.id();
    let vault = Vault::new(pools::vault(&args.vault_url()?).await?, keys);
    let rotated = vault
        .rotate(|Rotated { done, left }| tracing::info!(done, left, "keys are wrapped anew"))
        .await?;
    Ok(format!(
        "{} keys are wrapped with master key {new} now; none is left with {}.\n\
         Once every process runs with the new key, FIDO_PREVIOUS_MASTER_KEY can go.",
        rotated.done,
        previous.id(),
    ))
}
