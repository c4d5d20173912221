//! What may happen next, and how it is recorded.
//!
//! A request becomes a command; [`store::EventStore::execute`] loads the stream, lets a pure
//! [`Decide::decide`] answer with events or a refusal, and appends them in one call of the database
//! ([`append`]). [`log`] is the other end: the whole log by position, for whoever tells others.

pub mod account;
pub mod ambient;
pub mod append;
pub mod auth;
pub mod conversation;
pub mod decide;
pub mod fork;
pub mod log;
pub mod secrets;
pub mod store;

pub use append::Claim;
pub use decide::Decide;
pub use store::{CommandContext, Committed, EventStore, ExecuteError};

/// The schema of the event store; applied by its owner, never by the role that Fido runs as.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/events");
