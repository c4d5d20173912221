//! Everything that was found, for people: a table on a terminal, one plain line a figure otherwise.

use super::cells::Cell;
use super::report::Report;
use super::settings::Part;
use crate::bench::outcome::Goal;
use crate::bench::ratio;
use crate::bench::table::{columns, grouped};

/// Tables with a heading each.
pub(super) fn table(report: &Report) -> String {
    let mut lines = heading(report);
    for (part, what) in [
        (Part::Contest, "in flight"),
        (Part::Processes, "processes"),
        (Part::Distance, "processes, 5 ms away"),
        (Part::Growth, "events before"),
    ] {
        let cells: Vec<&Cell> = sorted(report, part);
        if cells.is_empty() {
            continue;
        }
        let head = [what, "store", "commands/s", "p50 ms", "p99 ms", "max ms"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(cells.into_iter().map(|cell| row(part, cell)));
        lines.push(String::new());
        lines.extend(columns(&rows, 2));
    }
    lines.push(String::new());
    lines.extend(ratio::table(&report.ratios));
    lines.extend(report.goals.iter().map(Goal::words));
    lines.join("\n")
}

/// One line a figure: a word that says of what, then names and values.
pub(super) fn lines(report: &Report) -> String {
    let mut lines = heading(report);
    for cell in report.cells.iter() {
        let (subject, figures) = (&cell.subject, &cell.medians);
        let mut line = format!(
            "cell part={} store={} in_flight={} processes={}",
            subject.part, subject.store, subject.in_flight, subject.processes
        );
        if let Some(events) = subject.events_before {
            line += &format!(" events_before={events}");
        }
        lines.push(format!(
            "{line} commands_per_s={} p50_ms={} p99_ms={} max_ms={}",
            figures.commands_per_s, figures.p50_ms, figures.p99_ms, figures.max_ms
        ));
    }
    lines.extend(report.ratios.iter().map(ToString::to_string));
    lines.extend(report.goals.iter().map(Goal::words));
    lines.join("\n")
}

fn heading(report: &Report) -> Vec<String> {
    let (machine, settings) = (&report.machine, &report.settings);
    let mut lines = vec![format!(
        "Appending, one event a command, {} streams; medians of {} rounds of {} s",
        grouped(settings.streams as f64),
        settings.rounds,
        settings.seconds
    )];
    lines.push(format!(
        "PostgreSQL {}, fsync {} ({}), {} cores{}",
        machine.postgres("server_version"),
        machine.postgres("fsync"),
        machine.postgres("wal_sync_method"),
        machine.cores,
        report
            .flush_ms
            .map_or(String::new(), |ms| format!("; a flush costs {ms} ms")),
    ));
    let sizes: Vec<String> = report
        .logs
        .iter()
        .filter(|log| log.filled == 0)
        .map(|log| format!("{} {} + {}", log.log, log.payload_bytes, log.metadata_bytes))
        .collect();
    lines.push(format!(
        "bytes of payload and metadata: {}",
        sizes.join(", ")
    ));
    if !machine.optimised {
        lines.push("this binary is not optimised: its figures say nothing".to_owned());
    }
    lines
}

/// The cells of a part, by what is compared in it.
fn sorted(report: &Report, part: Part) -> Vec<&Cell> {
    let mut cells: Vec<&Cell> = report.cells.of(part).collect();
    cells.sort_by_key(|cell| {
        let subject = &cell.subject;
        (
            subject.in_flight,
            subject.processes,
            subject.events_before,
            subject.store,
        )
    });
    cells
}

fn row(part: Part, cell: &Cell) -> Vec<String> {
    let (subject, figures) = (&cell.subject, &cell.medians);
    let compared = match part {
        Part::Contest => subject.in_flight.to_string(),
        Part::Processes | Part::Distance => subject.processes.to_string(),
        Part::Growth => grouped(subject.events_before.unwrap_or_default() as f64),
    };
    vec![
        compared,
        subject.store.to_string(),
        grouped(figures.commands_per_s),
        format!("{:.2}", figures.p50_ms),
        format!("{:.2}", figures.p99_ms),
        format!("{:.2}", figures.max_ms),
    ]
}
