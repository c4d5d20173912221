//! The whole, tested from outside: one test binary, one module a subject.

mod gateway;
mod layering;
mod stack;
