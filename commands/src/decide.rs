//! The pure heart of the write side, and the adapter that lets cqrs-es drive it.

use cqrs_es::event_sink::EventSink;
use fido_domain::Evolve;
use serde::{Deserialize, Serialize};

/// A state that can answer a command.
pub trait Decide: Evolve {
    /// What may be asked of it; carries every id and time that the answer needs.
    type Command: Send + Sync;

    /// Why it may say no; the variant is the reason.
    type Refusal: std::error::Error + Send + Sync + 'static;

    /// The events that follow from `command`; none when what it asks for is so already.
    ///
    /// # Errors
    /// The reason why it is refused.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;
}

/// Makes any [`Decide`] a `cqrs_es::Aggregate`, for `CqrsFramework` and its `TestFramework`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Decider<S: Evolve>(pub S);

impl<S: Decide> cqrs_es::Aggregate for Decider<S> {
    const TYPE: &'static str = S::TYPE;
    type Command = S::Command;
    type Event = S::Event;
    type Error = S::Refusal;
    type Services = ();

    async fn handle(
        &mut self,
        command: S::Command,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), S::Refusal> {
        for event in self.0.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: S::Event) {
        self.0.evolve(&event);
    }
}
