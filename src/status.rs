//! `fido status`: one number, everywhere it stands.

use anyhow::Result;
use fido_domain::Position;
use fido_nats::NatsError;
use fido_nats::status::StreamStatus;
use serde::Serialize;

use crate::config::StatusArgs;
use crate::roles::System;

/// How far everything is.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Which log.
    pub log_id: uuid::Uuid,
    /// Its last position.
    pub head: Position,
    /// The stream that carries it; none before the relay has made it.
    pub stream: Option<StreamStatus>,
    /// The replicas that show it.
    pub replicas: Vec<ReplicaStatus>,
}

/// How far one replica is.
#[derive(Debug, Serialize)]
pub struct ReplicaStatus {
    /// Its name.
    pub name: String,
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
        "status",
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
    let position = system.replicas().position().await?;
    let stream = match system.nats().status().await {
        Ok(stream) => Some(stream),
        Err(NatsError::NoStream) => None,
        Err(error) => return Err(error.into()),
    };
    let log = system.log();
    let head = log.head().await?;
    Ok(Status {
        log_id: log.id().await?,
        head,
        stream,
        replicas: vec![ReplicaStatus {
            name: replica_name.to_owned(),
            position,
            lag: head - position,
        }],
    })
}

fn in_words(status: &Status) -> String {
    let mut lines = vec![format!(
        "log       position {:>10}   {}",
        status.head, status.log_id
    )];
    lines.push(match &status.stream {
        Some(stream) => format!(
            "stream    position {:>10}   lag {}, holds from {}, {} KiB; replies waiting {}, in work {}",
            stream.last,
            status.head - stream.last,
            stream.first,
            stream.bytes / 1024,
            stream.replies_waiting,
            stream.replies_in_work,
        ),
        None => "stream    not there yet: is a relay running?".to_owned(),
    });
    for replica in &status.replicas {
        lines.push(format!(
            "{:<9} position {:>10}   lag {}",
            replica.name, replica.position, replica.lag
        ));
    }
    lines.join("\n")
}
