//! Decisions as given / when / then, on the adapter that cqrs-es drives.
#![cfg(test)] // unwrap and expect are how a helper of tests fails

mod account;
mod conversation;
mod plan;
