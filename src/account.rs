//! `fido account`: makes everything about a person unreadable, for good, and lets accounts do more.

use anyhow::{Result, bail};
use fido_commands::account::{AccountCommand, AccountRefusal};
use fido_commands::auth::Revocation;
use fido_commands::erasure::{EraseError, Eraser};
use fido_commands::{CommandContext, EventStore, ExecuteError};
use fido_domain::Actor;
use fido_domain::account::Account;
use fido_nats::Nats;
use fido_nats::access::Role;
use serde_json::json;

use crate::config::{self, AccountEraseArgs, AccountRoleArgs, Connections, VaultArgs, VaultPlace};
use crate::roles;

/// Erases, and says where the log proves it.
///
/// # Errors
/// When there is no such account, no register, or something cannot be reached; what was begun is
/// completed when this is called again, or when `fido serve` starts.
pub async fn erase(args: &AccountEraseArgs) -> Result<String> {
    let (store, place, nats) = open(&args.connections, &args.vault).await?;
    let context = CommandContext::new(Actor::system("operator"), args.id);
    let erased = Eraser::new(store, place.register())
        .erase_account(args.id, context)
        .await;
    let receipt = match erased {
        Err(EraseError::NotFound) => bail!("there is no account {}", args.id),
        erased => erased?,
    };
    let account_id = args.id;
    tell(&nats, Revocation::All { account_id }).await;
    Ok(if args.json {
        json!({"account_id": args.id, "position": receipt.position}).to_string()
    } else {
        format!(
            "Account {} is erased: its keys are destroyed, and position {} of the log says so.",
            args.id, receipt.position
        )
    })
}

/// Lets an account do more, and says where the log has it.
///
/// # Errors
/// When there is no such account, or something cannot be reached.
pub async fn grant(args: &AccountRoleArgs) -> Result<String> {
    let role = args.role.into();
    order(
        args,
        AccountCommand::GrantRole { role, reason: None },
        "has",
    )
    .await
}

/// Takes back what an account was let do, and says where the log has it.
///
/// # Errors
/// As [`grant`].
pub async fn revoke(args: &AccountRoleArgs) -> Result<String> {
    let role = args.role.into();
    order(
        args,
        AccountCommand::RevokeRole { role, reason: None },
        "no longer has",
    )
    .await
}

async fn order(args: &AccountRoleArgs, command: AccountCommand, verb: &str) -> Result<String> {
    let (store, _, nats) = open(&args.connections, &args.vault).await?;
    let context = CommandContext::new(Actor::system("operator"), args.id);
    let ordered = store.execute::<Account>(args.id, command, &context).await;
    let committed = match ordered {
        Err(ExecuteError::Refused(AccountRefusal::NotFound)) => {
            bail!("there is no account {}", args.id)
        }
        ordered => ordered?,
    };
    let account_id = args.id;
    tell(&nats, Revocation::Roles { account_id }).await;
    let role = fido_domain::account::Role::from(args.role).as_str();
    Ok(if args.json {
        let is_new = !committed.events.is_empty();
        json!({"account_id": args.id, "role": role, "is_new": is_new, "position": committed.position})
            .to_string()
    } else {
        format!(
            "Account {} {verb} the role {role}, as of position {} of the log.",
            args.id, committed.position
        )
    })
}

/// Tells processes that serve the API, which otherwise learn it from the log a moment later.
async fn tell(nats: &Nats, revocation: Revocation) {
    let told = async {
        nats.publish_revocation(revocation).await?;
        // The server takes things in order: when it answers it has taken that, too.
        nats.ping().await
    };
    if let Err(error) = told.await {
        tracing::warn!(error = %error, "processes that serve the API were not told; the log tells them");
    }
}

/// The event store, where its keys are, and the broker.
async fn open(
    connections: &Connections,
    vault: &VaultArgs,
) -> Result<(EventStore, VaultPlace, Nats)> {
    let addresses = connections.resolve()?;
    let place = vault.resolve(&addresses);
    let system = roles::System::connect(&addresses, Role::Operator).await?;
    let vault = system
        .vault(&place, config::master_keys_beside(&place)?)
        .await?;
    Ok((system.store(vault), place, system.nats().clone()))
}
