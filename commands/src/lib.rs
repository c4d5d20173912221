//! What may happen next, and how it is recorded: the write side, and the log that it writes.
//!
//! # From a command to a position
//!
//! A request becomes a command: a business verb with every id and time that its answer needs.
//! [`EventStore::execute`] gives it to the stream it is for and records what follows:
//!
//! 1. **Load.** The stream's state, folded from its events: remembered from the last command, or
//!    read by postgres-es ([`store`]).
//! 2. **Decide.** A pure [`Decide::decide`] answers with events, or with a refusal. No clock, no
//!    randomness, no I/O: whoever knows the state and the command knows the answer.
//! 3. **Seal.** Each event is written as canonical JSON (RFC 8785), and what is private in it is
//!    encrypted with the stream's key ([`vault`]).
//! 4. **Append.** Many commands go to the database in one call ([`append`]). There the lock on the
//!    one row of `log_head` makes the order: each command whose stream is where it was expected gets
//!    the next positions, dense and in commit order; another is told of the conflict and is decided
//!    again on what it missed.
//!
//! The answer comes when it is true: after the commit is on the disk, and after a broken line only
//! once it is known what became of the command. What must be unique across streams is a [`Claim`],
//! what must be done once however often it is asked has a [`Receipt`]; both stand or fall with the
//! command, in its transaction.
//!
//! # What is beside it
//!
//! [`log`] is the other end: the whole log by position, for whoever tells others. [`fork`] declares
//! how it goes on after PostgreSQL has lost its tail. [`erasure`] ends the key of what belongs to
//! somebody. [`auth`] knows passwords and sessions, which change and disappear and so are no events;
//! what happened at the door is ([`access`]).

pub mod access;
pub mod account;
pub mod ambient;
pub mod append;
pub mod auth;
pub mod change;
pub mod conversation;
pub mod decide;
pub mod erasure;
pub mod export;
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
