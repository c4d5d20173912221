//! What a reader of the document may rely on.

use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::router::routes;

fn as_json() -> Value {
    serde_json::to_value(document(routes).document).unwrap()
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'_ Value)| {
        let methods = item.as_object().unwrap().keys().cloned();
        methods
            .map(|method| (method, path.clone()))
            .collect::<Vec<_>>()
    };
    let names: Vec<_> = paths.iter().flat_map(of_path).collect();
    let found = names.into_iter().map(|(method, path)| {
        let operation = &paths[&path][&method];
        (format!("{method} {path}"), operation)
    });
    found.collect()
}

#[test]
fn it_is_made_without_mistakes() {
    assert_eq!(document(routes).mistakes, Vec::<String>::new());
}

#[test]
fn it_is_made_alike_every_time() {
    assert_eq!(as_json().to_string(), as_json().to_string());
}

#[test]
fn every_operation_is_named_told_and_filed() {
    let document = as_json();
    let tags: HashSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut ids = HashSet::new();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{name} has no id"));
        assert!(ids.insert(id), "{id} is there twice");
        assert!(operation["summary"].is_string(), "{name}");
        let filed = operation["tags"]
            .as_array()
            .unwrap_or_else(|| panic!("{name} has no tag"));
        assert!(filed.iter().all(|tag| tags.contains(tag)), "{name}");
    }
}

#[test]
fn every_operation_says_how_it_ends_well_and_that_it_may_not() {
    let document = as_json();
    for (name, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses
                .keys()
                .any(|status| status.starts_with(['2', '3'])),
            "{name}"
        );
        assert!(responses.contains_key("500"), "{name}");
    }
}

#[test]
fn every_field_of_a_body_or_an_answer_says_what_it_is() {
    let document = as_json();
    let mut silent = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, described) in schema["properties"].as_object().into_iter().flatten() {
            if !described["description"].is_string() && described["$ref"].is_null() {
                silent.push(format!("{name}.{field}"));
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_body_has_an_example() {
    let document = as_json();
    for (name, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if let Some(reference) = schema["$ref"].as_str() {
            let place = reference.trim_start_matches('#');
            let examples = &document.pointer(place).unwrap()["examples"];
            assert!(examples.is_array(), "{name}: {reference}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = as_json();
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let place = reference.trim_start_matches('#');
                    assert!(document.pointer(place).is_some(), "{reference}");
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
