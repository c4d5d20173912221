//! The whole, tested from outside: one test binary, one module a subject.

mod stack;
