//! What people do with Fido, as a mix of commands that the benches of the read side share: accounts,
//! conversations with messages and replies, plans whose sections are drafted, revised and approved,
//! all with sealed content of realistic length.
//!
//! A [`Person`] issues the commands one after the other. A [`Cast`] is what a few of them left in a
//! log; copied with other ids, it fills logs of any size.

mod cast;
mod fill;
mod person;
mod planning;
mod prose;
mod talk;

pub(super) use cast::Cast;
pub(super) use fill::{checkpoint, fill};
pub(super) use person::Person;
