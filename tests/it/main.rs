//! The whole, tested from outside: one test binary, one module a subject.
#![cfg(test)] // unwrap and expect are how a helper of tests fails

mod gateway;
mod layering;
mod stack;
