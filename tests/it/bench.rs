//! `fido bench` as the real binary: it measures what it says, and what was acknowledged is there.
//! How fast anything was is never looked at.

use std::process::Command;

use serde_json::Value;

#[test]
fn a_short_append_bench_accounts_for_every_command() {
    let output = Command::new(env!("CARGO_BIN_EXE_fido"))
        .args(["bench", "append", "--quick", "--json"])
        .env_remove("FIDO_BENCH_EVENTS_OWNER_URL")
        .env_remove("FIDO_BENCH_EVENTS_URL")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();

    let cells = report["cells"].as_array().unwrap();
    let found = |part: &str, what: &dyn Fn(&Value) -> String| -> Vec<String> {
        let cells = cells.iter().filter(|cell| cell["part"] == part);
        let mut found: Vec<String> = cells.map(what).collect();
        found.sort();
        found
    };
    assert_eq!(
        found("contest", &|cell| format!(
            "{} {}",
            cell["store"].as_str().unwrap(),
            cell["in_flight"]
        )),
        [
            "fido 1",
            "fido 16",
            "postgres_es 1",
            "postgres_es 16",
            "raw_insert 1",
            "raw_insert 16",
            "raw_insert_unflushed 1",
        ]
    );
    assert_eq!(
        found("processes", &|cell| cell["processes"].to_string()),
        ["1", "2"]
    );
    assert_eq!(
        found("growth", &|cell| cell["events_before"].to_string()),
        ["1000", "20000"]
    );
    for cell in cells {
        let rounds = cell["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 1, "{cell}");
        let figure = |name: &str| cell[name].as_f64().unwrap();
        assert!(figure("commands") >= 1.0 && figure("commands_per_s") > 0.0);
        assert!(figure("p50_ms") <= figure("p99_ms") && figure("p99_ms") <= figure("max_ms"));
    }

    let count = |value: &Value| value.as_u64().unwrap();
    let logs = report["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 5, "three in the contest, two that were filled");
    for log in logs {
        assert_eq!(
            count(&log["events"]),
            count(&log["filled"]) + count(&log["acknowledged"]),
            "{log}"
        );
        let payload = count(&log["payload_bytes"]);
        assert!((490..=510).contains(&payload), "{log}");
    }
    let measured: u64 = cells.iter().map(|cell| count(&cell["commands"])).sum();
    let acknowledged: u64 = logs.iter().map(|log| count(&log["acknowledged"])).sum();
    // Each cell has warmed up with a command to each stream; three more times the contest did, and
    // three commands found out how large a payload is.
    let streams = count(&report["settings"]["streams"]);
    let warm_up = streams * (cells.len() as u64 + 3) + 3;
    assert_eq!(acknowledged, measured + warm_up);

    assert_eq!(report["ratios"].as_array().unwrap().len(), 7);
    assert_eq!(report["machine"]["postgres"]["fsync"], "on");
    assert_eq!(report["machine"]["postgres"]["synchronous_commit"], "on");
    assert!(report["flush_ms"].is_number());
}

/// What a bench of the read side found in a short run.
fn quick(bench: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_fido"))
        .args(["bench", bench, "--quick", "--json"])
        .env_remove("FIDO_BENCH_EVENTS_OWNER_URL")
        .env_remove("FIDO_BENCH_EVENTS_URL")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["bench"], bench);
    assert_eq!(report["machine"]["postgres"]["fsync"], "on");
    report
}

/// The name of each cell's subject, and its rounds.
fn cells(report: &Value) -> Vec<(&str, &Vec<Value>)> {
    let cells = report["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| {
            (
                cell["of"].as_str().unwrap(),
                cell["rounds"].as_array().unwrap(),
            )
        })
        .collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// That percentiles are in order, and how many were measured in the one round.
fn counted(rounds: &[Value]) -> u64 {
    let [round] = rounds else {
        panic!("one round: {rounds:?}")
    };
    let figure = |name: &str| number(&round[name]);
    assert!(figure("p50_ms") > 0.0, "{round}");
    assert!(figure("p50_ms") <= figure("p99_ms") && figure("p99_ms") <= figure("max_ms"));
    round["count"].as_u64().unwrap()
}

#[test]
fn a_short_replay_bench_replays_and_copies_each_log() {
    let report = quick("replay");
    let cells = report["cells"].as_array().unwrap();
    let what: Vec<String> = cells
        .iter()
        .map(|cell| format!("{} {}", cell["way"].as_str().unwrap(), cell["events"]))
        .collect();
    assert_eq!(
        what,
        ["replay 1000", "copy 1000", "replay 5000", "copy 5000"]
    );
    for cell in cells {
        assert_eq!(cell["rounds"].as_array().unwrap().len(), 1, "{cell}");
        assert!(number(&cell["events_per_s"]) > 0.0, "{cell}");
    }
    let ratios = report["ratios"].as_array().unwrap();
    assert_eq!(
        ratios.len(),
        3,
        "replay by copy for each, and large by small"
    );
    let rate = |n: usize| number(&cells[n]["events_per_s"]);
    let by_copy = number(&ratios[0]["ratio"]);
    assert!((by_copy - rate(0) / rate(1)).abs() <= 0.01, "{report}");
    let goals = report["goals"].as_array().unwrap();
    assert_eq!(goals.len(), 2);
    for (goal, replay) in goals.iter().zip([rate(0), rate(2)]) {
        assert_eq!(goal["reached"], replay >= 20_000.0, "{goal}");
    }
}

#[test]
fn a_short_project_bench_hears_of_every_command() {
    let report = quick("project");
    let mut counts = Vec::new();
    for (of, rounds) in cells(&report) {
        counts.push((of, counted(rounds)));
    }
    let settings = &report["settings"];
    let commands = (number(&settings["rate"]) * number(&settings["seconds"])) as u64;
    let [measured @ .., bare] = &counts[..] else {
        panic!("no cells")
    };
    assert_eq!(
        measured,
        [
            ("intended to acknowledged", commands),
            ("acknowledged to visible", commands),
            ("intended to visible", commands),
        ]
    );
    assert!(bare.0 == "one bare insert" && bare.1 >= 1, "{bare:?}");
    assert_eq!(report["ratios"].as_array().unwrap().len(), 3);
    assert_eq!(report["goals"][0]["to_reach"]["at_most"], 50.0);
}

#[test]
fn a_short_query_bench_asks_every_kind_of_query() {
    let report = quick("query");
    let settings = &report["settings"];
    let queries = (number(&settings["rate"]) * number(&settings["seconds"])) as u64;
    let counts: Vec<(&str, u64)> = cells(&report)
        .into_iter()
        .map(|(of, rounds)| (of, counted(rounds)))
        .collect();
    assert_eq!(
        counts,
        [
            ("conversations", queries / 5),
            ("messages", queries / 5),
            ("plans", queries / 5),
            ("sections", queries / 5),
            ("timeline", queries / 5),
            ("all queries", queries),
            ("select 1", queries),
        ]
    );
    assert_eq!(report["ratios"].as_array().unwrap().len(), 2);
    assert_eq!(report["goals"][0]["to_reach"]["at_most"], 10.0);
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_starts() {
    let output = Command::new(env!("CARGO_BIN_EXE_fido"))
        .args(["bench", "append", "--in-flight", "64", "--streams", "10"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("--streams"), "{errors}");
}
