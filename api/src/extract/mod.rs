//! What handlers are given: each part of a request parsed, or a problem that names what is wrong.

mod edit;
mod id;
mod json;
mod position;
mod query;
mod visitor;

pub(crate) use edit::{Edit, given};
pub(crate) use id::Id;
pub(crate) use json::{Json, read_body};
pub(crate) use position::{After, LastEventId, MinPosition};
pub(crate) use query::Query;
pub(crate) use visitor::Visitor;

/// The field that serde misses or has seen before, and what to say about it. serde puts its name
/// into the message only: the path of such an error is that of the whole.
fn blamed(message: &str) -> Option<(&str, &'static str)> {
    let field = |prefix| message.strip_prefix(prefix)?.split('`').next();
    let missing = field("missing field `").map(|field| (field, "is required"));
    missing.or_else(|| field("duplicate field `").map(|field| (field, "is there twice")))
}
