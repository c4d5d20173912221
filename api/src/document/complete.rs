//! What holds for many operations and no signature says: ids in paths, keys of changes, and the
//! problems that any request may end in.

use aide::openapi::{OpenApi, Operation, ReferenceOr};
use aide::util::iter_operations_mut;
use schemars::json_schema;

use super::operation::{answered, has_parameter, in_path, may_end_in};
use super::problems;
use crate::problem::Kind;

const IDEMPOTENCY_KEY: &str = "#/components/parameters/Idempotency-Key";
const REQUEST_ID: &str = "#/components/headers/X-Request-Id";

/// Says it of each operation.
pub(super) fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let request_id = answered(
        "The request's id: the client's own if it sent one, and as in log lines.",
        true,
    );
    let headers = &mut components.headers;
    headers.insert("X-Request-Id".to_owned(), ReferenceOr::Item(request_id));
    let Some(paths) = &mut document.paths else {
        return;
    };
    for (path, item) in &mut paths.paths {
        let Some(item) = item.as_item_mut() else {
            continue;
        };
        for (method, operation) in iter_operations_mut(item) {
            ids(path, operation);
            changes(method, operation);
            may_end_in(operation, &[Kind::Internal]);
            if !operation.security.is_empty() {
                may_end_in(operation, &[Kind::Unavailable]);
            }
            problems::answer(operation, components);
            identify(operation);
        }
    }
    for response in components.responses.values_mut() {
        if let Some(response) = response.as_item_mut() {
            let id = ReferenceOr::ref_(REQUEST_ID);
            response.headers.insert("X-Request-Id".to_owned(), id);
        }
    }
}

/// What of the path no extractor has described is an id.
fn ids(path: &str, operation: &mut Operation) {
    let names = path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    for name in names {
        if !has_parameter(operation, name) {
            let what = name.trim_end_matches("_id").replace('_', " ");
            let schema = json_schema!({ "type": "string", "format": "uuid" });
            let parameter = in_path(name, &format!("The id of the {what}."), schema);
            operation.parameters.push(ReferenceOr::Item(parameter));
        }
        may_end_in(operation, &[Kind::NotFound]);
    }
}

/// What is said of changes by whoever is signed in.
fn changes(method: &str, operation: &mut Operation) {
    if operation.security.is_empty() || matches!(method, "get" | "head" | "options") {
        return;
    }
    may_end_in(
        operation,
        &[
            Kind::CrossSite,
            Kind::InvalidParameter,
            Kind::IdempotencyKeyReused,
            Kind::Busy,
            Kind::LogDiverged,
        ],
    );
    let key = ReferenceOr::ref_(IDEMPOTENCY_KEY);
    operation.parameters.push(key);
}

/// Each answer has the request's id.
fn identify(operation: &mut Operation) {
    let responses = operation.responses.iter_mut();
    for response in responses.flat_map(|responses| responses.responses.values_mut()) {
        if let Some(response) = response.as_item_mut() {
            let id = ReferenceOr::ref_(REQUEST_ID);
            response.headers.insert("X-Request-Id".to_owned(), id);
        }
    }
}
