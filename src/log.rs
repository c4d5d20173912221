//! `fido log fork`: an operator says how the log goes on after it lost its tail.

use std::fmt::Write;

use anyhow::{Context, Result, anyhow, bail};
use fido_commands::fork;
use fido_domain::{Epoch, Epochs, Position};
use fido_nats::NatsError;
use fido_nats::access::Role;
use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::config::{Addresses, ForkArgs};
use crate::roles;

/// What is to be declared, and how sure the operator is.
#[derive(Debug, Clone)]
pub struct ForkRequest {
    /// What happened.
    pub reason: String,
    /// Go on beyond this position as well; then not everything has to be reachable.
    pub beyond: Option<Position>,
    /// Also when nothing has seen more than the log holds.
    pub force: bool,
}

/// How far somebody has seen the log.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// Who: `log`, `stream`, or a replica's name.
    pub by: String,
    /// Up to here; none when it could not be asked, or there is none.
    pub position: Option<Position>,
    /// In this epoch of the log.
    pub epoch: Option<i32>,
}

/// What was declared.
#[derive(Debug, Clone, Serialize)]
pub struct Fork {
    /// The new epoch.
    #[serde(flatten)]
    pub epoch: Epoch,
    /// What happened.
    pub reason: String,
    /// Who had seen the log how far.
    pub seen: Vec<Seen>,
}

/// Declares a new epoch and says what follows from it.
///
/// # Errors
/// As [`declare`], and when an address is missing.
pub async fn fork(args: &ForkArgs) -> Result<String> {
    let addresses = args.connections.resolve()?;
    let request = ForkRequest {
        reason: args.reason.clone(),
        beyond: args.beyond,
        force: args.force,
    };
    let owner_url = args.events_owner_url()?;
    let fork = declare(&owner_url, &addresses, &request).await?;
    if args.json {
        return Ok(serde_json::to_string_pretty(&fork)?);
    }
    in_words(&fork)
}

/// Asks everybody how far they have seen the log, and declares a new epoch beyond that.
///
/// # Errors
/// When nobody has seen more than the log holds and the request does not insist, when somebody cannot
/// be asked and no position is given, or when the event store refuses. Nothing has changed then.
pub async fn declare(
    owner_url: &str,
    addresses: &Addresses,
    request: &ForkRequest,
) -> Result<Fork> {
    if request.reason.trim().is_empty() {
        bail!("say what happened with --reason; it is kept with the log for ever");
    }
    let log = roles::open_log(&addresses.events_url).await?;
    let (epochs, head) = (log.epochs().await?, log.head().await?);
    let current = epochs.current();
    let mut seen = vec![Seen {
        by: "log".to_owned(),
        position: Some(head),
        epoch: Some(current.epoch),
    }];
    let mut asked = vec![("stream".to_owned(), stream(addresses, &epochs).await)];
    asked.extend(replicas(addresses, &epochs).await?);
    for (by, asked) in asked {
        let (position, epoch) = match asked {
            Ok(found) => found.unzip(),
            Err(error) if request.beyond.is_some() => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "{by} cannot be asked; --beyond counts"
                );
                (None, None)
            }
            Err(error) => {
                return Err(error.context(format!(
                    "{by} cannot be asked how far it has seen the log: let it be reached, or give a \
                     position that is certainly beyond with --beyond"
                )));
            }
        };
        seen.push(Seen {
            by,
            position,
            epoch,
        });
    }
    let furthest = seen.iter().filter_map(|seen| seen.position).max();
    let beyond = furthest.max(request.beyond).unwrap_or(head);
    let epoch = seen.iter().filter_map(|seen| seen.epoch).max();
    let epoch = epoch.unwrap_or(current.epoch);
    if beyond <= head && epoch <= current.epoch && !request.force {
        bail!(
            "the log has not diverged: it ends at {head}, and nobody has seen more. Nothing was \
             declared (--beyond POSITION or --force would insist)"
        );
    }
    let mut owner = PgConnection::connect(owner_url)
        .await
        .context("the event store cannot be reached as its owner (FIDO_EVENTS_OWNER_URL)")?;
    let declared = fork::fork(&mut owner, beyond, epoch, &request.reason).await;
    owner.close().await?;
    Ok(Fork {
        epoch: declared?,
        reason: request.reason.clone(),
        seen,
    })
}

/// How far the event stream goes, and in which epoch; none when there is no stream.
async fn stream(addresses: &Addresses, epochs: &Epochs) -> Result<Option<(Position, i32)>> {
    let nats = roles::connect_nats(addresses, Role::Operator).await?;
    match nats.status().await {
        Ok(stream) if stream.log_id == epochs.current().log_id => {
            Ok(Some((stream.last, stream.epoch)))
        }
        Ok(stream) => bail!("the event stream carries another log, {}", stream.log_id),
        Err(NatsError::NoStream) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How far each replica goes, and in which epoch.
async fn replicas(
    addresses: &Addresses,
    epochs: &Epochs,
) -> Result<Vec<(String, Result<Option<(Position, i32)>>)>> {
    let replicas = roles::open_replicas(addresses)?;
    replicas.expect(epochs.current());
    let surveyed = replicas.survey().await.into_iter().map(|surveyed| {
        let found = match surveyed.found {
            Ok(_) if surveyed.is_other_log => Err(anyhow!("it shows another log")),
            Ok(shown) => Ok(Some((
                shown.position,
                shown.followed.map_or(1, |log| log.epoch),
            ))),
            Err(error) => Err(error.into()),
        };
        (surveyed.name, found)
    });
    Ok(surveyed.collect())
}

fn in_words(fork: &Fork) -> Result<String> {
    let Epoch {
        epoch,
        forked_after,
        first_position,
        ..
    } = fork.epoch;
    let mut text = format!("Epoch {epoch} of the log has begun. So far the log had been seen by\n");
    for seen in &fork.seen {
        match (seen.position, seen.epoch) {
            (Some(position), Some(epoch)) => {
                writeln!(
                    text,
                    "  {:<10} up to {position:>12}   epoch {epoch}",
                    seen.by
                )?;
            }
            _ => writeln!(text, "  {:<10} nobody knows how far", seen.by)?,
        }
    }
    write!(
        text,
        "\nEverything up to {forked_after} is there. The positions up to {} are never used: what was seen\n\
         there is lost. The next event will be at {first_position}.\n\
         \n\
         By itself, within seconds:\n  \
           the relay makes the event stream anew, from {first_position} on\n  \
           clients that have seen lost events are told to read afresh\n  \
           writes are taken again\n\
         By itself, and taking as long as a replay of the log:\n  \
           replicas that show lost events are emptied and built again from position 1\n\
         \n\
         Watch it with: fido status",
        first_position - 1
    )?;
    Ok(text)
}
