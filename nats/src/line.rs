//! The connection itself: whether it stands, and the moment it breaks. Whoever waits for an answer
//! that was on its way need not wait for a time-out.

use std::future::Future;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Event};
use tokio::sync::watch;

/// How often a broken connection is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Counts how often the connection broke.
#[derive(Clone, Debug)]
pub(crate) struct Line(watch::Receiver<u64>);

impl Line {
    /// A line, and where it is told what happens to the connection.
    pub(crate) fn new() -> (watch::Sender<u64>, Self) {
        let (breaks, line) = watch::channel(0);
        (breaks, Self(line))
    }

    /// Ends when the connection breaks, counted from this call on.
    pub(crate) fn breaks(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut line = self.0.clone();
        let seen = *line.borrow();
        async move {
            if line.wait_for(|breaks| *breaks != seen).await.is_err() {
                // The client was closed; nothing will come that could break.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Says what happens to the connection, and counts breaks; the first connection is not worth a line.
pub(crate) fn report(event: &Event, breaks: &watch::Sender<u64>) {
    match event {
        Event::Connected if *breaks.borrow() > 0 => tracing::info!("connected to NATS again"),
        Event::Connected => tracing::debug!("connected to NATS"),
        Event::Disconnected => {
            breaks.send_modify(|breaks| *breaks += 1);
            tracing::warn!("the connection to NATS broke; reconnecting");
        }
        Event::LameDuckMode
        | Event::Draining
        | Event::Closed
        | Event::SlowConsumer(_)
        | Event::ServerError(_)
        | Event::ClientError(_) => {
            tracing::warn!(nats.event = %event, "NATS has something to say");
        }
    }
}

/// Waits until the connection stands.
pub(crate) async fn stands(client: &Client) {
    while client.connection_state() != State::Connected {
        tokio::time::sleep(LOOK).await;
    }
}
