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
pub mod erasure;
pub mod fork;
pub mod log;
pub mod plan;
pub mod secrets;
pub mod store;
pub mod vault;

pub use append::{Claim, Receipt};
pub use decide::Decide;
pub use store::{CommandContext, Committed, EventStore, ExecuteError, Origin, Placed};
pub use vault::Vault;

/// The schema of the event store; applied by its owner, never by the role that Fido runs as.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/events");

/// The schema of the vault, which is made by whoever applies this (`create schema vault`) and which
/// must be the `search_path`; applied by its owner.
pub static VAULT_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/vault");
