//! What it comes to: figures divided by figures of the same round.

use super::cells::{Cell, Cells, Store};
use super::settings::Part;
use crate::bench::figures::Figures;
use crate::bench::ratio::{Bound, Ratio};

/// All ratios that the cells allow.
pub(super) fn ratios(cells: &Cells) -> Vec<Ratio> {
    let mut ratios = contest(cells);
    ratios.extend(processes(cells));
    ratios.extend(growth(cells));
    ratios
}

fn contest(cells: &Cells) -> Vec<Ratio> {
    let mut ratios = Vec::new();
    for fido in cells.of(Part::Contest) {
        if fido.subject.store != Store::Fido {
            continue;
        }
        let in_flight = fido.subject.in_flight;
        let other = |store| {
            cells
                .of(Part::Contest)
                .find(|cell| cell.subject.store == store && cell.subject.in_flight == in_flight)
        };
        for store in [Store::PostgresEs, Store::RawInsert] {
            if let Some(other) = other(store) {
                ratios.push(ratio(
                    format!("commands/s, {in_flight} in flight, fido by {store}"),
                    (fido, other),
                    |figures| figures.commands_per_s,
                    wanted(in_flight, store),
                ));
            }
        }
        if let (1, Some(raw)) = (in_flight, other(Store::RawInsert)) {
            ratios.push(ratio(
                format!("median latency, 1 in flight, fido by {}", Store::RawInsert),
                (fido, raw),
                |figures| figures.p50_ms,
                Some(Bound::AtMost(1.5)),
            ));
        }
    }
    ratios
}

fn wanted(in_flight: usize, store: Store) -> Option<Bound> {
    match (in_flight, store) {
        (64, Store::PostgresEs) => Some(Bound::AtLeast(8.0)),
        (64, Store::RawInsert) => Some(Bound::AtLeast(2.0)),
        (256, Store::PostgresEs) => Some(Bound::AtLeast(10.0)),
        (256, Store::RawInsert) => Some(Bound::AtLeast(3.0)),
        _ => None,
    }
}

fn processes(cells: &Cells) -> Option<Ratio> {
    let one = cells
        .of(Part::Processes)
        .find(|cell| cell.subject.processes == 1)?;
    let many = cells
        .of(Part::Processes)
        .find(|cell| cell.subject.processes > 1)?;
    let (in_flight, processes) = (one.subject.in_flight, many.subject.processes);
    Some(ratio(
        format!("commands/s, {in_flight} in flight, {processes} processes by one"),
        (many, one),
        |figures| figures.commands_per_s,
        Some(Bound::AtLeast(1.0)),
    ))
}

fn growth(cells: &Cells) -> Vec<Ratio> {
    let before = |cell: &&Cell| cell.subject.events_before;
    let Some(small) = cells.of(Part::Growth).min_by_key(before) else {
        return Vec::new();
    };
    let larger = cells
        .of(Part::Growth)
        .filter(|cell| before(cell) > before(&small));
    let few = small.subject.events_before.unwrap_or_default();
    larger
        .map(|large| {
            let many = large.subject.events_before.unwrap_or_default();
            ratio(
                format!("cost of a command, {many} events before by {few}"),
                (large, small),
                |figures| 1.0 / figures.commands_per_s,
                Some(Bound::AtMost(1.2)),
            )
        })
        .collect()
}

/// The ratio of `figure` of one cell by that of another, round by round.
fn ratio(
    of: String,
    (over, under): (&Cell, &Cell),
    figure: impl Fn(&Figures) -> f64,
    to_reach: Option<Bound>,
) -> Ratio {
    let rounds = over.rounds.iter().zip(&under.rounds);
    Ratio::of_rounds(
        of,
        rounds.map(|(over, under)| (figure(over), figure(under))),
        to_reach,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::cells::Subject;
    use super::*;
    use crate::bench::load::Load;

    #[test]
    fn each_round_is_compared_with_the_same_round() {
        let mut cells = Cells::default();
        // The machine slows down from round to round, and fido stays twice as fast.
        for (store, rounds) in [
            (Store::Fido, [400, 200, 80]),
            (Store::RawInsert, [200, 100, 40]),
        ] {
            let subject = Subject {
                part: Part::Contest,
                store,
                in_flight: 64,
                processes: 1,
                events_before: None,
            };
            for commands in rounds {
                let load = Load {
                    latencies_us: vec![1000; commands],
                    elapsed: Duration::from_secs(1),
                    ..Load::default()
                };
                cells.record(subject, &load);
            }
        }
        let expected = Ratio {
            of: "commands/s, 64 in flight, fido by raw_insert".to_owned(),
            ratio: 2.0,
            lowest: 2.0,
            highest: 2.0,
            to_reach: Some(Bound::AtLeast(2.0)),
        };
        assert_eq!(ratios(&cells), [expected]);
    }
}
