//! Every event at every version that was ever stored has a golden file, and is read from it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fido_domain::catalogue::{Contract, EventContract, Field, contracts};
use serde_json::Value;

use crate::guests::Guests;

/// The golden files of one kind of stream, by name without `.json`.
type Golden = BTreeMap<String, String>;

#[test]
fn what_was_ever_stored_is_read_as_it_was_meant() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut wrong = Vec::new();
    let contracts = contracts().unwrap();
    for name in folders(&folder) {
        if !contracts
            .iter()
            .any(|contract| contract.aggregate_type == name)
        {
            wrong.push(format!(
                "domain/tests/golden/{name} is of no kind of stream that this build knows"
            ));
        }
    }
    for contract in contracts {
        let golden = files(&folder.join(contract.aggregate_type));
        wrong.extend(faults(&contract, &golden));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

fn files(folder: &Path) -> Golden {
    let Ok(entries) = fs::read_dir(folder) else {
        return Golden::new();
    };
    let file = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = name.strip_suffix(".json").unwrap_or(name).to_owned();
        let text = fs::read_to_string(path).unwrap();
        (name, text.trim_end_matches('\n').to_owned())
    };
    entries.map(|entry| file(&entry.unwrap().path())).collect()
}

/// What is wrong with the golden files of a stream, a line each.
fn faults(contract: &Contract, golden: &Golden) -> Vec<String> {
    let mut faults = Vec::new();
    let path = |name: &str| {
        format!(
            "domain/tests/golden/{}/{name}.json",
            contract.aggregate_type
        )
    };
    for (event_type, version) in contract.shapes() {
        let name = format!("{event_type}.v{version}");
        if !golden.contains_key(&name) {
            faults.push(format!("{} is missing", path(&name)));
        }
    }
    for (name, stored) in golden {
        if let Err(fault) = check(contract, golden, name, stored) {
            faults.push(format!("{} {fault}", path(name)));
        }
    }
    for event in &contract.events {
        for fault in uncovered(event, golden) {
            let file = path(&format!(
                "{}.v{}.<variant>",
                event.event_type, event.version
            ));
            faults.push(format!("{file} is missing: {fault}"));
        }
    }
    faults
}

/// Reads one golden file, or the `.lifted` one beside it, as the log is read.
fn check(contract: &Contract, golden: &Golden, name: &str, stored: &str) -> Result<(), String> {
    if let Some(older) = name.strip_suffix(".lifted") {
        let exists = golden.contains_key(older);
        return exists
            .then_some(())
            .ok_or("is of a file that is not there".to_owned());
    }
    let (event_type, version) = shape(name).ok_or("is not named <event_type>.v<version>")?;
    if !contract.shapes().contains(&(event_type, version)) {
        return Err("is of an event or a version that this build does not know".to_owned());
    }
    if canonical(&parsed(stored)?) != stored {
        return Err("is not canonical JSON (RFC 8785)".to_owned());
    }
    let read = (contract.reread)(event_type, version, stored)
        .map_err(|error| format!("cannot be read: {error}"))?;
    let written = canonical(&read.payload);
    let event = contract
        .events
        .iter()
        .find(|event| event.event_type == read.event_type && event.version == read.event_version)
        .ok_or_else(|| {
            format!(
                "is written under the unknown version {} of {}",
                read.event_version, read.event_type
            )
        })?;
    if event.event_type == event_type && event.version == version {
        sealed(event, &parsed(stored)?)?;
        return (written == stored)
            .then_some(())
            .ok_or_else(|| format!("would now be stored as {written}"));
    }
    match golden.get(&format!("{name}.lifted")) {
        Some(lifted) if *lifted == written => Ok(()),
        Some(_) => Err(format!(
            "is lifted to {written}, not to what {name}.lifted.json says"
        )),
        None => Err(format!(
            "is lifted to {written}; if that is right, it is {name}.lifted.json"
        )),
    }
}

/// `message_posted.v1.long` is `message_posted` version `1`.
fn shape(name: &str) -> Option<(&str, &str)> {
    let (event_type, rest) = name.split_once(".v")?;
    Some((
        event_type,
        rest.split_once('.').map_or(rest, |(version, _)| version),
    ))
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
}

fn canonical(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap()
}

/// Private content is sealed wherever it is stored.
fn sealed(event: &EventContract, payload: &Value) -> Result<(), String> {
    for field in event.fields.iter().filter(|field| field.private) {
        for content in at(payload, &field.path) {
            let text = content["sealed"].as_str().unwrap_or_default();
            if !text.starts_with(&format!("1:{}.", event.event_type)) {
                return Err(format!("has {} not sealed", field.path));
            }
        }
    }
    Ok(())
}

/// Fields that no golden file shows, and optional ones that none leaves out.
fn uncovered(event: &EventContract, golden: &Golden) -> Vec<String> {
    let payloads: Vec<Value> = golden
        .iter()
        .filter(|(name, _)| shape(name) == Some((&event.event_type, event.version)))
        .filter_map(|(_, stored)| serde_json::from_str(stored).ok())
        .collect();
    if payloads.is_empty() {
        return Vec::new();
    }
    let shown = |field: &&Field| {
        payloads
            .iter()
            .any(|payload| !at(payload, &field.path).is_empty())
    };
    let left_out = |field: &&Field| {
        payloads
            .iter()
            .any(|payload| at(payload, &field.path).is_empty())
    };
    let with = event.fields.iter().filter(|field| !shown(field));
    let without = event
        .fields
        .iter()
        .filter(|field| !field.required && !left_out(field));
    with.map(|field| format!("none has {}", field.path))
        .chain(without.map(|field| format!("none is without {}", field.path)))
        .collect()
}

/// What stands at `path`: nothing, one value, or one of each item of a list.
fn at<'a>(payload: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![payload], |found, step| {
        let name = step.trim_end_matches("[]");
        let members = found.into_iter().filter_map(|value| value.get(name));
        if step == name {
            return members.collect();
        }
        members.filter_map(Value::as_array).flatten().collect()
    })
}

/// The files that the guest list would have.
fn guests() -> Golden {
    [
        ("guest_came.v1", r#"{"name":"Ada"}"#),
        ("guest_came.v1.lifted", r#"{"count":1,"names":["Ada"]}"#),
        ("guest_came.v2", r#"{"names":["Ada"]}"#),
        ("guest_came.v2.lifted", r#"{"count":1,"names":["Ada"]}"#),
        ("guests_welcomed.v1", r#"{"names":[]}"#),
        ("guests_welcomed.v1.lifted", r#"{"count":0,"names":[]}"#),
        (
            "guests_welcomed.v2",
            r#"{"count":1,"names":["Ada"],"remark":{"sealed":"1:guests_welcomed.remark:AAAA"}}"#,
        ),
        (
            "guests_welcomed.v2.silent",
            r#"{"count":1,"names":["Ada"]}"#,
        ),
        ("guests_left.v1", "{}"),
    ]
    .map(|(name, stored)| (name.to_owned(), stored.to_owned()))
    .into()
}

#[test]
fn golden_files_of_a_stream_with_a_past_are_accepted() {
    let faults = faults(&Contract::of::<Guests>().unwrap(), &guests());
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn every_kind_of_fault_is_found() {
    let contract = Contract::of::<Guests>().unwrap();
    for name in guests().keys() {
        let mut golden = guests();
        golden.remove(name);
        let found = faults(&contract, &golden);
        let about = if name == "guests_welcomed.v2.silent" {
            "none is without remark"
        } else {
            name
        };
        assert!(
            found.iter().any(|fault| fault.contains(about)),
            "without {name}: {found:?}"
        );
    }
    for (name, stored, why) in [
        ("guests_left.v1", r#"{ }"#, "not canonical"),
        ("guests_left.v1", "", "not JSON"),
        ("guests_left.v2", "{}", "does not know"),
        ("guests_sang.v1", "{}", "does not know"),
        ("notes", "{}", "not named"),
        (
            "guest_came.v1",
            r#"{"nombre":"Ada"}"#,
            "cannot be read: there is no name",
        ),
        ("guest_came.v1.lifted", "{}", "is lifted to"),
        ("guests_sang.v1.lifted", "{}", "not there"),
        (
            "guests_welcomed.v2.silent",
            r#"{"count":1,"mood":"high","names":[]}"#,
            "would now be stored as",
        ),
        (
            "guests_welcomed.v2",
            r#"{"count":1,"names":[],"remark":{"open":"Hi"}}"#,
            "remark not sealed",
        ),
        (
            "guests_welcomed.v2",
            r#"{"count":1,"names":[]}"#,
            "none has remark",
        ),
    ] {
        let mut golden = guests();
        golden.insert(name.to_owned(), stored.to_owned());
        let found = faults(&contract, &golden);
        assert!(
            found.iter().any(|fault| fault.contains(why)),
            "{name} {stored}: {found:?}"
        );
    }
}
