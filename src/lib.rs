//! How Fido is put together and operated: the roles, the embedded stack, the subcommands.

pub mod account;
pub mod analytics;
pub mod audit;
pub mod bench;
pub mod config;
pub mod dev;
pub mod keys;
pub mod log;
pub mod mail;
pub mod migrate;
pub mod model;
pub mod nats;
mod pools;
pub mod replica;
pub mod roles;
pub mod seeds;
pub mod stack;
pub mod status;
