//! The whole, tested from outside: one test binary, one module a subject.
#![cfg(test)] // unwrap and expect are how a helper of tests fails

mod api_errors;
mod api_stream;
mod app;
mod append_only;
mod bench;
mod chat;
mod contention;
mod cut;
mod dev;
mod divergence;
mod erased;
mod event_store;
mod events;
mod gateway;
mod layering;
mod memory;
mod overload;
mod plan;
mod position;
mod processes;
mod projector;
mod properties;
mod receipts;
mod restart;
mod rotation;
mod routing;
mod sealed;
mod segments;
mod sse;
mod stack;
mod unknown_outcome;
mod vault_apart;
