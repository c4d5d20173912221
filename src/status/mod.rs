//! `fido status`: one number, everywhere it stands.

mod drift;

use anyhow::Result;
use fido_domain::Position;
use fido_nats::NatsError;
use fido_nats::access::Role;
use fido_nats::relay::{Activity, RelayStatus};
use fido_nats::status::StreamStatus;
use fido_projections::operation::Condition;
use fido_projections::replica::Surveyed;
use serde::Serialize;

use crate::config::StatusArgs;
use crate::roles::System;
pub use drift::{DriftStatus, DriftedStatus};

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

/// How far one replica is, and how it fares.
#[derive(Debug, Serialize)]
pub struct ReplicaStatus {
    /// Its name.
    pub name: String,
    /// How it fares.
    pub health: Health,
    /// Why that is not better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it answers.
    pub reachable: bool,
    /// It is a physical standby.
    pub standby: bool,
    /// It is kept for analysts.
    pub reserved: bool,
    /// The epoch of the log that it follows; none before its projector has met the log.
    pub epoch: Option<i32>,
    /// What it shows; none while it cannot be asked.
    pub position: Option<Position>,
    /// How many events it is behind.
    pub lag: Option<Position>,
    /// What the last look whether it holds what the log says has found; none before the first.
    pub drift: Option<DriftStatus>,
}

/// How a replica fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Green,
    /// It answers, but not everything is in it.
    Amber,
    /// It does not answer, or must not be asked.
    Red,
}

/// Prints how far everything is.
///
/// # Errors
/// When the event store or the broker cannot be asked. A replica that cannot is shown as such.
pub async fn run(args: &StatusArgs) -> Result<String> {
    let system = System::connect(&args.connections.resolve()?, Role::Operator).await?;
    let status = ask(&system).await?;
    Ok(if args.json {
        serde_json::to_string_pretty(&status)?
    } else {
        in_words(&status)
    })
}

async fn ask(system: &System) -> Result<Status> {
    let log = system.log();
    let replicas = system.replicas();
    replicas.expect(log.epochs().await?.current());
    // The replicas first: what is read later can only be further on, so no lag is negative.
    let surveyed = replicas.survey().await;
    let stream = match system.nats().status().await {
        Ok(stream) => Some(stream),
        Err(NatsError::NoStream) => None,
        Err(error) => return Err(error.into()),
    };
    let relays = system.nats().relays().await?;
    let epochs = log.epochs().await?;
    let head = log.head().await?;
    let current = epochs.current();
    let seen = surveyed
        .iter()
        .filter(|replica| !replica.is_other_log)
        .filter_map(|replica| {
            let shown = replica.found.as_ref().ok()?;
            Some((shown.followed?.epoch, shown.position))
        })
        .chain(stream.as_ref().map(|stream| (stream.epoch, stream.last)));
    let diverged = seen
        .into_iter()
        .any(|(epoch, position)| epochs.standing(epoch, position, head).is_err());
    Ok(Status {
        log_id: current.log_id,
        epoch: current.epoch,
        head,
        diverged_at: diverged.then_some(head + 1),
        replicas: surveyed
            .into_iter()
            .map(|replica| ReplicaStatus::of(replica, current.epoch, head))
            .collect(),
        stream,
        relays,
    })
}

impl ReplicaStatus {
    fn of(replica: Surveyed, epoch: i32, head: Position) -> Self {
        let (health, reason) = match &replica.found {
            Err(error) => (Health::Red, Some(format!("cannot be asked: {error}"))),
            Ok(_) if replica.is_other_log => (Health::Red, Some("shows another log".to_owned())),
            Ok(shown) => {
                let elsewhere = shown.followed.filter(|followed| followed.epoch < epoch);
                let reason = match elsewhere {
                    Some(followed) => Some(format!("still in epoch {}", followed.epoch)),
                    None => ails(&replica),
                };
                let health = reason.as_ref().map_or(Health::Green, |_| Health::Amber);
                (health, reason)
            }
        };
        let shown = replica.found.ok();
        let position = shown.map(|shown| shown.position);
        Self {
            drift: replica.drift.map(DriftStatus::of),
            name: replica.name,
            health,
            reason,
            reachable: shown.is_some(),
            standby: shown.is_some_and(|shown| shown.is_standby),
            reserved: replica.is_reserved,
            epoch: shown
                .and_then(|shown| shown.followed)
                .map(|followed| followed.epoch),
            position,
            lag: position
                .filter(|_| !replica.is_other_log)
                .map(|position| head - position),
        }
    }

    fn in_words(&self) -> String {
        let mut words = match (self.position, self.lag) {
            (Some(position), Some(lag)) => {
                format!("{:<9} position {position:>10}   lag {lag}", self.name)
            }
            (Some(position), None) => format!("{:<9} position {position:>10}", self.name),
            (None, _) => format!("{:<9} position          ?", self.name),
        };
        for (is_so, what) in [
            (self.standby, ", standby"),
            (self.reserved, ", for analysts"),
            (self.health == Health::Amber, ", AMBER"),
            (self.health == Health::Red, ", RED"),
        ] {
            words.push_str(if is_so { what } else { "" });
        }
        if let Some(reason) = &self.reason {
            words.push_str(": ");
            words.push_str(reason);
        }
        if let Some(drift) = self.drift.as_ref().filter(|drift| drift.differing == 0) {
            words.push_str(&format!(
                "; {} streams as the log says at {}",
                drift.streams, drift.position
            ));
        }
        words
    }
}

/// What keeps a replica from being as it should be.
fn ails(replica: &Surveyed) -> Option<String> {
    let mut reasons = Vec::new();
    reasons.extend(replica.drift.as_ref().and_then(drift::in_words));
    if let Some(condition) = &replica.condition {
        neglected(condition, &mut reasons);
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What an operator has to see to.
fn neglected(condition: &Condition, reasons: &mut Vec<String>) {
    if let Some(paused) = &condition.paused {
        let why = paused.reason.as_deref().unwrap_or("no reason given");
        reasons.push(format!("paused by an operator ({why})"));
    }
    if let Some(waits) = &condition.waits {
        let (position, reason) = (waits.position, &waits.reason);
        reasons.push(format!("waits at {position} for a newer build ({reason})"));
    }
    if condition.quarantined_streams > 0 {
        let (streams, events) = (condition.quarantined_streams, condition.quarantined_events);
        reasons.push(format!(
            "{streams} streams in quarantine, {events} events left out"
        ));
    }
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
        lines.push(replica.in_words());
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
