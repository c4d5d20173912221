//! `fido status`: one number, everywhere it stands.

use anyhow::Result;
use fido_domain::Position;
use fido_nats::NatsError;
use fido_nats::access::Role;
use fido_nats::relay::{Activity, RelayStatus};
use fido_nats::status::StreamStatus;
use serde::Serialize;

use crate::config::StatusArgs;
use crate::roles::System;

/// How far everything is.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Which log.
    pub log_id: uuid::Uuid,
    /// Its epoch: grows whenever the log lost its tail and an operator declared how it goes on.
    pub epoch: i32,
    /// Its last position.
    pub head: Position,
    /// The first position that the log does not hold although somebody has seen it; none as long as
    /// the log holds everything.
    pub diverged_at: Option<Position>,
    /// The stream that carries it; none before the relay has made it.
    pub stream: Option<StreamStatus>,
    /// The relays that answer.
    pub relays: Vec<RelayStatus>,
    /// The replicas that show it.
    pub replicas: Vec<ReplicaStatus>,
}

/// How far one replica is.
#[derive(Debug, Serialize)]
pub struct ReplicaStatus {
    /// Its name.
    pub name: String,
    /// The epoch of the log that it follows; none before its projector has met the log.
    pub epoch: Option<i32>,
    /// What it shows.
    pub position: Position,
    /// How many events it is behind.
    pub lag: Position,
}

/// Prints how far everything is.
///
/// # Errors
/// When something cannot be asked.
pub async fn run(args: &StatusArgs) -> Result<String> {
    let system = System::connect(
        &args.connections.resolve()?,
        &args.connections.replica_name,
        Role::Operator,
    )
    .await?;
    let status = ask(&system, &args.connections.replica_name).await?;
    Ok(if args.json {
        serde_json::to_string_pretty(&status)?
    } else {
        in_words(&status)
    })
}

async fn ask(system: &System, replica_name: &str) -> Result<Status> {
    // The replica first: what is read later can only be further on, so no lag is negative.
    let snapshot = system.replicas().read(None).await?;
    let (position, epoch) = (snapshot.position(), snapshot.epoch());
    drop(snapshot);
    let stream = match system.nats().status().await {
        Ok(stream) => Some(stream),
        Err(NatsError::NoStream) => None,
        Err(error) => return Err(error.into()),
    };
    let relays = system.nats().relays().await?;
    let log = system.log();
    let epochs = log.epochs().await?;
    let head = log.head().await?;
    let current = epochs.current();
    let seen = [
        stream.as_ref().map(|stream| (stream.epoch, stream.last)),
        epoch.map(|epoch| (epoch, position)),
    ];
    let diverged = seen
        .into_iter()
        .flatten()
        .any(|(epoch, position)| epochs.standing(epoch, position, head).is_err());
    Ok(Status {
        log_id: current.log_id,
        epoch: current.epoch,
        head,
        diverged_at: diverged.then_some(head + 1),
        stream,
        relays,
        replicas: vec![ReplicaStatus {
            name: replica_name.to_owned(),
            epoch,
            position,
            lag: head - position,
        }],
    })
}

fn in_words(status: &Status) -> String {
    let mut lines = vec![format!(
        "log       position {:>10}   epoch {}, {}",
        status.head, status.epoch, status.log_id
    )];
    lines.push(match &status.stream {
        Some(stream) => format!(
            "stream    position {:>10}   lag {}, holds from {}, {} KiB; replies waiting {}, in work {}{}",
            stream.last,
            status.head - stream.last,
            stream.first,
            stream.bytes / 1024,
            stream.replies_waiting,
            stream.replies_in_work,
            behind(status.epoch, Some(stream.epoch)),
        ),
        None => "stream    not there yet: is a relay running?".to_owned(),
    });
    lines.extend(status.relays.iter().map(relay));
    if status.relays.is_empty() {
        lines.push("relay     none answers".to_owned());
    }
    for replica in &status.replicas {
        lines.push(format!(
            "{:<9} position {:>10}   lag {}{}",
            replica.name,
            replica.position,
            replica.lag,
            behind(status.epoch, replica.epoch)
        ));
    }
    if let Some(position) = status.diverged_at {
        lines.push(format!(
            "\nlog diverged at {position}: more has been seen than the log holds. Nothing is written until \
             the lost\nevents are back or `fido log fork` has declared how to go on; see `fido log fork --help`"
        ));
    }
    lines.join("\n")
}

fn relay(relay: &RelayStatus) -> String {
    let position = relay.published.map_or("?".to_owned(), |at| at.to_string());
    let activity = match relay.activity {
        Activity::Publishing => "publishes",
        Activity::Following => "stands by",
        Activity::Waiting => "waits for the log or the broker; its own log says why",
        Activity::Diverged => "waits for `fido log fork`",
    };
    let behind = relay.behind_ms.map_or(String::new(), |ms| {
        format!(", behind the log for {} s", ms / 1_000)
    });
    format!("relay     position {position:>10}   {activity}{behind}")
}

/// Said of a stream or a replica that is still in an earlier epoch than the log.
fn behind(log: i32, of: Option<i32>) -> String {
    of.filter(|epoch| *epoch < log)
        .map_or(String::new(), |epoch| format!(", still in epoch {epoch}"))
}
