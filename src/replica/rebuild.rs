//! `fido replica rebuild`: a replica is built anew from position 1 while it serves, then switched.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result, bail};
use clap::Args;
use fido_projections::rebuild::{Progress, Rebuild, Replayed, Switched, Verdict};
use serde_json::{Value, json};

use super::build::build;
use super::progress::{Reporter, say};
use super::verify;
use crate::config::{Connections, ReplicaOwnerArgs};
use crate::{config, roles};

pub(super) const ABOUT: &str = "\
Builds a replica anew from position 1, beside the one that serves, and switches to it.

The new rows are compared with the live ones at one position. If they are the same, both are switched in \
a moment; queries and the projector go on, and nothing needs to be restarted. If they are not the same, \
the first row that differs is named and nothing is switched: when the rebuild is meant to repair the live \
one, or a new build projects otherwise, that is as expected, and --accept-difference switches. The rebuilt \
schema is kept until then, so that it need not be built twice; a run that was interrupted is taken up \
again, unless another build began it.

What was live is kept as schema fido_previous until the next switch. --rollback brings it up to date and \
switches back to it; another --rollback switches forth again.

Each schema has its own quarantine; a pause goes on to hold. Views outside the schema are kept, with \
their grants, and show the new rows.";

pub(super) const EXAMPLES: &str = "\
Examples:
  fido replica rebuild                                build, compare, ask, switch
  fido replica rebuild --yes                          without being asked, for scripts
  fido replica rebuild --yes --accept-difference      also when the live rows are not the same
  fido replica rebuild --rollback --yes               back to what was live before
  fido replica rebuild --replica replica2             where there are several replicas";

/// `fido replica rebuild`.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Switch without asking.
    #[arg(long)]
    yes: bool,
    /// Switch although the rebuilt rows differ from the live ones, or could not be compared with them.
    #[arg(long, conflicts_with = "rollback")]
    accept_difference: bool,
    /// Go back to what was live before the last switch.
    #[arg(long)]
    rollback: bool,
    /// JSON, for scripts.
    #[arg(long)]
    json: bool,
    /// The replica, as its owner.
    #[command(flatten)]
    owner: ReplicaOwnerArgs,
    /// Where everything is.
    #[command(flatten)]
    connections: Connections,
}

pub(super) async fn run(args: &RebuildArgs) -> Result<String> {
    if !args.yes && !std::io::stdin().is_terminal() {
        bail!("give --yes: without a terminal nobody can be asked before the switch");
    }
    let addresses = args.connections.resolve()?;
    let replica = config::the_one(&addresses.replicas)?;
    let (name, place) = (&replica.name, args.owner.of(&addresses, replica)?);
    let log = roles::open_log(&addresses.events_url).await?;
    let reporter = Reporter::new()?;
    let told = |progress: Progress| reporter.tell(&progress);
    let mut rebuild = if args.rollback {
        Rebuild::back(place, log).await
    } else {
        Rebuild::begin(place, log, &build()?).await
    }
    .with_context(|| format!("{name} cannot be rebuilt"))?;
    let replayed = rebuild.replay(&told).await?;
    // What was live before may differ from what is live: that is why one goes back.
    let verdict = if args.rollback {
        None
    } else {
        Some(rebuild.compare(&told).await?)
    };
    reporter.finish();
    if let Some(verdict) = &verdict
        && !verdict.is_equal()
        && !args.accept_difference
    {
        if args.json {
            say_json(&report(name, &replayed, Some(verdict), None))?;
        }
        bail!(
            "{}. Nothing was switched; if this is what the rebuild is for, run it again with \
             --accept-difference. The rebuilt schema is kept until then",
            difference(verdict)
        );
    }
    if !args.yes {
        confirm(&question(name, &replayed, verdict.as_ref())).await?;
    }
    let switched = rebuild.switch(&told).await?;
    reporter.finish();
    if args.json {
        let report = report(name, &replayed, verdict.as_ref(), Some(&switched));
        return Ok(serde_json::to_string_pretty(&report)?);
    }
    Ok(in_words(
        name,
        args.rollback,
        &replayed,
        verdict.as_ref(),
        &switched,
    ))
}

/// Asks, and fails unless the answer is yes.
async fn confirm(question: &str) -> Result<()> {
    say(question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .map(|_| answer)
    })
    .await??;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        bail!("nothing was switched; what was built is kept for the next run")
    }
}

fn question(name: &str, replayed: &Replayed, verdict: Option<&Verdict>) -> String {
    let found = match verdict {
        None => "What was live before".to_owned(),
        Some(verdict) if verdict.is_equal() => {
            "The rebuilt schema, which equals the live one".to_owned()
        }
        Some(verdict) => format!("{}. The rebuilt schema", difference(verdict)),
    };
    let quarantine = match replayed.quarantined_streams {
        0 => String::new(),
        streams => format!(", with {streams} streams in quarantine"),
    };
    format!(
        "{found} stands at {}{quarantine}. Switch {name} to it? [y/N]",
        replayed.position
    )
}

fn difference(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Incomparable(why) => format!("The rebuilt rows could not be compared: {why}"),
        Verdict::Compared(comparison) => match comparison.first_difference() {
            Some((table, difference)) => format!(
                "At position {} the live rows (A) differ from the rebuilt ones (B): {}",
                comparison.position,
                verify::in_words(table, difference)
            ),
            None => format!("Both are equal at position {}", comparison.position),
        },
    }
}

fn in_words(
    name: &str,
    rollback: bool,
    replayed: &Replayed,
    verdict: Option<&Verdict>,
    switched: &Switched,
) -> String {
    let mut text = format!(
        "Replayed {} events in {:.1} s ({:.0} events/s).",
        replayed.position - replayed.from,
        replayed.elapsed.as_secs_f64(),
        replayed.rate()
    );
    if replayed.quarantined_streams > 0 {
        text.push_str(&format!(
            "\n{} streams are in its quarantine (fido replica retry).",
            replayed.quarantined_streams
        ));
    }
    if let Some(verdict) = verdict {
        text.push_str(&format!("\n{}.", difference(verdict)));
    }
    text.push_str(&format!(
        "\nSwitched {name} to the {} schema at position {} in {} ms{}.\n\
         What was live is kept as fido_previous; `fido replica rebuild --rollback` switches back.",
        if rollback { "previous" } else { "rebuilt" },
        switched.position,
        switched.took.as_millis(),
        if switched.attempts == 1 {
            String::new()
        } else {
            format!(", at attempt {}", switched.attempts)
        }
    ));
    text
}

fn report(
    name: &str,
    replayed: &Replayed,
    verdict: Option<&Verdict>,
    switched: Option<&Switched>,
) -> Value {
    let comparison = verdict.map(|verdict| match verdict {
        Verdict::Compared(comparison) => verify::in_json(comparison),
        Verdict::Incomparable(why) => json!({"equal": false, "incomparable": why}),
    });
    json!({
        "replica": name,
        "replayed": {
            "from": replayed.from,
            "to": replayed.position,
            "seconds": replayed.elapsed.as_secs_f64(),
            "events_per_second": replayed.rate().round(),
            "quarantined_streams": replayed.quarantined_streams,
        },
        "comparison": comparison,
        "switched": switched.map(|switched| json!({
            "position": switched.position,
            "previous": switched.previous,
            "took_ms": switched.took.as_secs_f64() * 1_000.0,
            "attempts": switched.attempts,
        })),
    })
}

/// A result although the run fails.
fn say_json(report: &Value) -> Result<()> {
    use std::io::Write;
    let text = serde_json::to_string_pretty(report)?;
    // Whoever reads may have gone; that is no failure.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}
