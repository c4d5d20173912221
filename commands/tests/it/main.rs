//! Decisions as given / when / then, on the adapter that cqrs-es drives.

mod account;
mod conversation;
