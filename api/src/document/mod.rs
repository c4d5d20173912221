//! The API as an OpenAPI 3.1 document, made from the routes: what handlers take and give is what it
//! says of them (`OperationInput`, `OperationOutput`).
//!
//! # A documented route
//! ```text
//! pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
//!     ApiRouter::new()
//!         .api_route(
//!             "/v1/plans/{plan_id}",                         // ids end in _id: documented as UUIDs
//!             get_with(one, about("read_plan", "A plan", &[]))
//!                 .patch_with(edit, about("edit_plan", "Change what a plan says of itself", &[Kind::Conflict])),
//!         )
//!         .with_path_items(|item| item.tag("plans"))         // a tag of `TAGS` below
//! }
//!
//! async fn one(State(api): App, who: SignedIn, Id(id): Id, MinPosition(at_least): MinPosition) -> Answer<Found<Plan>> {
//!     …
//!     Ok(Found::of(plan).with(At(position)))                  // any `IntoResponseParts`
//! }
//! ```
//! 1. `ApiRouter` and `get_with`, `post_with` … come from `aide::axum`.
//! 2. An answer is a [`Reply`](crate::answer::Reply): `Found<T>` is 200, `Created<T>` 201,
//!    `Accepted<T>` 202, `NoContent` 204. Anything else implements `OperationOutput` itself.
//! 3. Bodies, answers and parameters derive `JsonSchema`; the comments of their fields are what a
//!    reader sees. A time is `#[schemars(with = "String", extend("format" = "date-time"))]`, and a
//!    body has an `#[schemars(example = …)]`. Each of them has a name of its own in the whole API.
//! 4. What extractors refuse (401, 403, 404 of a path with an id, 400, 413, 415, 422) follows from
//!    the signature, as do 500 and 503; `about` is told the [`Kind`]s that the handler adds.
//! 5. `cargo run -- openapi > docs/openapi.json`, `scripts/client`, and the route's line in
//!    `tests/it/conventions/routes.rs`.

mod complete;
mod introduction;
mod operation;
mod pages;
mod problems;
mod schemas;

use std::cell::RefCell;
use std::rc::Rc;

use aide::axum::ApiRouter;
use aide::generate::{in_context, on_error};
use aide::openapi::OpenApi;
use axum::Router;

use crate::problem::ProblemBody;

pub(crate) use operation::{
    about, answered, bodiless, ends_well, header, in_form, may_end_in, needs, path, path_parameter,
    query,
};
pub(crate) use pages::pages;
pub(crate) use schemas::{read, written};

/// Routes, and what is said about them.
pub(crate) struct Documented<S> {
    pub(crate) router: Router<S>,
    pub(crate) document: OpenApi,
    /// What of it is not right, as far as that shows; none, as a test sees to.
    pub(crate) mistakes: Vec<String>,
}

/// Documents `routes`, which are made inside: what they say is collected while they are.
pub(crate) fn document<S>(routes: impl FnOnce() -> ApiRouter<S>) -> Documented<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mistakes = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&mistakes);
    schemas::begin();
    on_error(move |error| noted.borrow_mut().push(error.to_string()));
    in_context(written::<ProblemBody<'_>>);
    let mut document = introduction::introduce();
    let router = routes().finish_api(&mut document);
    complete::complete(&mut document);
    Documented {
        router,
        document,
        mistakes: mistakes.take(),
    }
}

#[cfg(test)]
mod tests;
