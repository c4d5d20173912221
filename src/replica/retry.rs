//! `fido replica retry`: streams in quarantine get their rows, once what kept them is fixed.

use std::fmt::Write;

use anyhow::{Result, bail};
use clap::Args;
use fido_projections::quarantine::Retry;
use serde_json::json;

use crate::config::Connections;
use crate::pools;

pub(super) const ABOUT: &str = "\
Applies what is in quarantine, after a fix.

An event that a projector could not apply is in quarantine, with every later event of its stream; the \
other streams go on. This applies the parked events in the order of the log, with the build that is \
asked: upgrade the projectors first, or what they still cannot apply comes back. They need not be \
stopped. What cannot be applied now either stays parked, and the exit status says so.";

pub(super) const EXAMPLES: &str = "\
Examples:
  fido status                              whether anything is in quarantine
  fido replica retry                       apply it
  fido replica retry --replica replica2    where there are several replicas";

/// `fido replica retry`.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// JSON, for scripts.
    #[arg(long)]
    json: bool,
    /// Where everything is.
    #[command(flatten)]
    connections: Connections,
}

pub(super) async fn run(args: &RetryArgs) -> Result<String> {
    let replica = args.connections.one_replica()?;
    let retry = Retry::run(&pools::replica(&replica.url)?).await?;
    let text = if args.json {
        in_json(&retry)
    } else {
        in_words(&retry)
    };
    if !retry.is_complete() {
        bail!("not everything could be applied\n{text}");
    }
    Ok(text)
}

fn in_words(retry: &Retry) -> String {
    if retry.streams.is_empty() {
        return "Nothing is in quarantine.".to_owned();
    }
    let mut lines = String::new();
    for stream in &retry.streams {
        let _infallible = write!(
            lines,
            "{}{} {}: {} applied",
            if lines.is_empty() { "" } else { "\n" },
            stream.aggregate_type,
            stream.aggregate_id,
            stream.applied
        );
        if let Some(still) = &stream.still {
            let _infallible = write!(lines, ", stopped at {}: {}", still.position, still.reason);
        }
    }
    lines
}

fn in_json(retry: &Retry) -> String {
    let streams: Vec<_> = retry
        .streams
        .iter()
        .map(|stream| {
            json!({
                "aggregate_type": stream.aggregate_type,
                "aggregate_id": stream.aggregate_id,
                "applied": stream.applied,
                "still": stream.still.as_ref().map(|still| json!({
                    "position": still.position,
                    "reason": still.reason,
                })),
            })
        })
        .collect();
    json!({"complete": retry.is_complete(), "streams": streams}).to_string()
}
