//! The whole, tested from outside: one test binary, one module a subject.
#![cfg(test)] // unwrap and expect are how a helper of tests fails

mod api_errors;
mod api_stream;
mod app;
mod append_only;
mod chat;
mod contention;
mod divergence;
mod gateway;
mod layering;
mod position;
mod processes;
mod restart;
mod sse;
mod stack;
