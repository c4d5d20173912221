//! The catalogue shows every kind of stream, and the page in `docs/` is up to date.

use std::fs;
use std::path::{Path, PathBuf};

use fido_domain::catalogue::{Contract, Field, contracts, markdown};

use crate::guests::Guests;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_page_is_what_the_code_says() {
    let page = fs::read_to_string(folder("../docs/events.md")).unwrap_or_default();
    assert!(
        page == markdown().unwrap() + "\n",
        "docs/events.md is not up to date: cargo run -- events > docs/events.md"
    );
}

#[test]
fn no_kind_of_stream_is_forgotten() {
    let mut declared = Vec::new();
    types_in(&folder("src"), &mut declared);
    declared.sort();
    let mut listed: Vec<String> = contracts()
        .unwrap()
        .iter()
        .map(|contract| contract.aggregate_type.to_owned())
        .collect();
    listed.sort();
    assert_eq!(
        listed, declared,
        "contracts() in domain/src/catalogue/mod.rs lists them all"
    );
}

/// The `TYPE` of every `impl Evolve` in the sources below `folder`.
fn types_in(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            types_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let declared = source.lines().filter_map(|line| {
                let line = line.trim().strip_prefix("const TYPE: &'static str = \"")?;
                line.strip_suffix("\";")
            });
            found.extend(declared.map(str::to_owned));
        }
    }
}

#[test]
fn a_contract_tells_versions_and_fields() {
    let contract = Contract::of::<Guests>().unwrap();
    assert_eq!(contract.meaning, "What can happen to a guest list.");
    let [welcomed, left] = contract.events.as_slice() else {
        panic!("two events: {:?}", contract.events);
    };
    assert_eq!(
        (welcomed.event_type.as_str(), welcomed.version),
        ("guests_welcomed", "2")
    );
    assert_eq!(welcomed.meaning, "People came.");
    let older: Vec<_> = welcomed
        .older
        .iter()
        .map(|shape| (shape.event_type, shape.version))
        .collect();
    assert_eq!(
        older,
        [
            ("guest_came", "1"),
            ("guest_came", "2"),
            ("guests_welcomed", "1")
        ]
    );
    let field = |path: &str, words: &str, private, required, meaning: &str| Field {
        path: path.to_owned(),
        words: words.to_owned(),
        private,
        required,
        meaning: meaning.to_owned(),
    };
    assert_eq!(
        welcomed.fields,
        [
            field("names", "list: text", false, true, "Who."),
            field("count", "whole number", false, true, "How many there are."),
            field("remark", "text", true, false, "What they said."),
        ]
    );
    assert_eq!(
        (left.event_type.as_str(), left.version),
        ("guests_left", "1")
    );
    assert!(left.fields.is_empty() && left.older.is_empty());
}

#[test]
fn the_private_fields_of_the_first_events_are_marked() {
    let contracts = contracts().unwrap();
    let private = |event_type: &str| -> Vec<&str> {
        let events = contracts.iter().flat_map(|contract| &contract.events);
        events
            .filter(|event| event.event_type == event_type)
            .flat_map(|event| &event.fields)
            .filter(|field| field.private)
            .map(|field| field.path.as_str())
            .collect()
    };
    assert_eq!(private("account_registered"), ["email", "display_name"]);
    assert_eq!(private("conversation_started"), ["goal"]);
    assert_eq!(private("message_posted"), ["text"]);
    assert_eq!(private("reply_requested"), [""; 0]);
}
