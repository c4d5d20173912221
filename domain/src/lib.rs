//! What has happened in Fido, and what is true because of it: events, the state they add up to,
//! and the parsed values they are made of. Pure: no I/O, no clock, no randomness.

pub mod account;
pub mod conversation;
pub mod epochs;
pub mod evolve;
pub mod private;
pub mod recorded;
pub mod text;

pub use epochs::{Epoch, Epochs};
pub use evolve::Evolve;
pub use private::{Private, Sealed};
pub use recorded::{Actor, Metadata, Position, Recorded};
