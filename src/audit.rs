//! `fido audit show`: one stream of the log as a timeline that a person can read.

use std::fmt::Write;

use anyhow::{Result, bail};
use fido_domain::private::SEALED;
use fido_domain::{Metadata, Recorded};
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use crate::config::AuditShowArgs;
use crate::roles;

/// How much of a long text a line shows.
const SHOWN: usize = 100;

/// The timeline of one stream.
///
/// # Errors
/// When there is no such stream, or the log cannot be read.
pub async fn show(args: &AuditShowArgs) -> Result<String> {
    let log = roles::open_log(&args.connections.events_url()?).await?;
    let events = log.stream(&args.aggregate, args.id).await?;
    if events.is_empty() {
        bail!("the log has no {} {}", args.aggregate, args.id);
    }
    if args.json {
        let lines: Result<Vec<_>, _> = events.iter().map(serde_json::to_string).collect();
        return Ok(lines?.join("\n"));
    }
    timeline(&args.aggregate, &events)
}

fn timeline(aggregate: &str, events: &[Recorded]) -> Result<String> {
    let mut text = String::new();
    if let Some(first) = events.first() {
        writeln!(
            text,
            "{aggregate} {}, {} events",
            first.aggregate_id,
            events.len()
        )?;
    }
    for event in events {
        let metadata = event.metadata()?;
        writeln!(
            text,
            "\n{:>4}  {}  {}  (position {})\n      by {}{}",
            event.sequence,
            event.recorded_at.format(&Rfc3339)?,
            event.event_type,
            event.position,
            actor(&metadata),
            metadata.causation_id.map_or(String::new(), |cause| format!(
                ", because of position {cause}"
            )),
        )?;
        let fields: serde_json::Map<String, Value> = serde_json::from_str(event.payload.get())?;
        for (field, value) in fields {
            writeln!(text, "      {field}: {}", shown(&value))?;
        }
    }
    Ok(text.trim_end().to_owned())
}

fn actor(metadata: &Metadata) -> String {
    match metadata.actor.account {
        Some(account) => format!("{} {account}", metadata.actor.role),
        None => metadata.actor.role.clone(),
    }
}

/// A value on one line.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.replace('\n', "⏎"),
        Value::Object(object) if object.contains_key("sealed") => SEALED.to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    let length = text.chars().count();
    if length <= SHOWN {
        return text;
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start}… ({length} characters)")
}
