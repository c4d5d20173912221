//! What has happened in Fido, and what is true because of it: events, the state they add up to,
//! and the parsed values they are made of. Pure: no I/O, no clock, no randomness.

pub mod access;
pub mod account;
pub mod catalogue;
pub mod conversation;
pub mod epochs;
pub mod evolve;
mod imprint;
mod known;
pub mod plan;
pub mod private;
pub mod recorded;
mod tagged;
pub mod text;
pub mod upcast;
pub mod word;

pub use epochs::{Epoch, Epochs};
pub use evolve::{Evolve, FullFold};
pub use imprint::Imprint;
pub use known::knows;
pub use private::{Private, Sealed};
pub use recorded::{Actor, Metadata, Position, Recorded, Stamp};
pub use upcast::StoredEvent;
