//! What can be seen: read models on replicas, each exactly as far as its checkpoint says, the
//! projector that writes them, and the readers that the API and the co-pilots ask.

pub mod account;
mod apply;
pub mod conversation;
pub mod projector;
pub mod replica;
pub mod timeline;

pub use replica::{ReadError, Replicas, Snapshot};

/// The schema of a replica; applied by its owner, never by the role that Fido runs as.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/replica");

/// The schema that holds the read models, for the `search_path` of every connection to a replica.
pub const SCHEMA: &str = "fido";
