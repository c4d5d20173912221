//! `fido account erase`: makes everything about a person unreadable, for good.

use anyhow::{Result, bail};
use fido_commands::erasure::{EraseError, Eraser};
use fido_commands::{CommandContext, EventStore};
use fido_domain::Actor;
use fido_nats::access::Role;
use serde_json::json;

use crate::config::{self, AccountEraseArgs};
use crate::roles;

/// Erases, and says where the log proves it.
///
/// # Errors
/// When there is no such account, no register, or something cannot be reached; what was begun is
/// completed when this is called again, or when `fido serve` starts.
pub async fn erase(args: &AccountEraseArgs) -> Result<String> {
    let addresses = args.connections.resolve()?;
    let place = args.vault.resolve(&addresses);
    let system = roles::System::connect(&addresses, Role::Operator).await?;
    let vault = system
        .vault(&place, config::master_keys_beside(&place)?)
        .await?;
    let store: EventStore = system.store(vault);
    let context = CommandContext::new(Actor::system("operator"), args.id);
    let erased = Eraser::new(store, place.register())
        .erase_account(args.id, context)
        .await;
    let receipt = match erased {
        Err(EraseError::NotFound) => bail!("there is no account {}", args.id),
        erased => erased?,
    };
    Ok(if args.json {
        json!({"account_id": args.id, "position": receipt.position}).to_string()
    } else {
        format!(
            "Account {} is erased: its keys are destroyed, and position {} of the log says so.",
            args.id, receipt.position
        )
    })
}
