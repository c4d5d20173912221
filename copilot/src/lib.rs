//! What the model says: the co-pilots, the gateway that speaks to a model provider for them, and
//! the worker that answers people.

pub mod copilots;
pub mod gateway;
pub mod worker;
