//! What is stored can be read for ever: contracts, golden files, upcasters.
#![cfg(test)] // unwrap and expect are how a helper of tests fails

mod catalogue;
mod golden;
mod guests;
mod upcasting;
