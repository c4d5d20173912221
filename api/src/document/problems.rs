//! Problems in the document: an answer for each set of kinds that share a status, named after them.

use std::collections::BTreeMap;

use aide::openapi::{
    Components, MediaType, Operation, ReferenceOr, Response, SchemaObject, StatusCode,
};
use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use crate::problem::Kind;

/// Where kinds are noted until the document is complete.
const NOTES: &str = "x-problems";

/// Notes that the operation may end so.
pub(super) fn note(operation: &mut Operation, kind: Kind) {
    let notes = operation.extensions.entry(NOTES.to_owned());
    if let Value::Array(names) = notes.or_insert_with(|| json!([]))
        && !names.contains(&kind.name().into())
    {
        names.push(kind.name().into());
    }
}

/// Makes answers of the notes.
pub(super) fn answer(operation: &mut Operation, components: &mut Components) {
    let notes = operation.extensions.shift_remove(NOTES).unwrap_or_default();
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in Kind::ALL {
        let names = notes.as_array().into_iter().flatten();
        if names.into_iter().any(|name| name == kind.name()) {
            let kinds = by_status.entry(kind.status().as_u16()).or_default();
            kinds.push(kind);
        }
    }
    let responses = &mut operation.responses.get_or_insert_default().responses;
    for (status, kinds) in by_status {
        let name: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
        let name = name.join("Or");
        let reference = format!("#/components/responses/{name}");
        let described = || ReferenceOr::Item(described(&kinds));
        components.responses.entry(name).or_insert_with(described);
        let status = StatusCode::Code(status);
        // Readiness has an answer of its own for what is a problem elsewhere.
        responses
            .entry(status)
            .or_insert_with(|| ReferenceOr::ref_(&reference));
    }
}

fn described(kinds: &[Kind]) -> Response {
    let lines = kinds
        .iter()
        .map(|kind| format!("`{}`: {}.", kind.name(), kind.title()));
    let media = MediaType {
        schema: Some(SchemaObject {
            json_schema: schema(kinds),
            external_docs: None,
            example: None,
        }),
        example: kinds.first().map(|kind| example(*kind)),
        ..MediaType::default()
    };
    Response {
        description: lines.collect::<Vec<_>>().join(" "),
        content: [("application/problem+json".to_owned(), media)]
            .into_iter()
            .collect(),
        ..Response::default()
    }
}

/// Any problem, of these kinds.
fn schema(kinds: &[Kind]) -> Schema {
    let types: Vec<String> = kinds.iter().map(|kind| kind.type_uri()).collect();
    let status = kinds.first().map(|kind| kind.status().as_u16());
    json_schema!({
        "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            {
                "type": "object",
                "properties": { "type": { "enum": types }, "status": { "const": status } },
                "required": ["type", "status"],
            },
        ],
    })
}

fn example(kind: Kind) -> Value {
    json!({
        "type": kind.type_uri(),
        "title": kind.title(),
        "status": kind.status().as_u16(),
        "errors": [],
        "request_id": "01a20b20-ef05-7c3e-8d2a-5b1f0c9e4a77",
    })
}
