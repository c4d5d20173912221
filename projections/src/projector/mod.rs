//! The worker of one replica: follows the log, through the broker when it can, from the event
//! store when it must, and moves the replica forward batch by batch.

mod follow;
mod session;
mod trouble;

use std::convert::Infallible;

use fido_commands::log::Log;
use fido_nats::Nats;
use fido_nats::backoff::Backoff;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::vocabulary::{self, Knows};
use follow::Following;
use session::Session;
use trouble::{ProjectorError, Reporter};

/// What a projector needs.
#[derive(Clone)]
pub struct Projector {
    /// The replica's name, by which its position is announced.
    pub replica: String,
    /// The replica. The projector keeps one session of its own there, so there may be no pooler
    /// between them that shares sessions.
    pub pool: PgPool,
    /// The truth.
    pub log: Log,
    /// The carrier.
    pub nats: Nats,
}

impl Projector {
    /// Keeps the replica up to date until `shutdown`. Failures are waited out; nothing is skipped.
    ///
    /// Of several projectors of one replica one is at work. The others stand by, and one of them takes
    /// over at once when its session ends, or after ten seconds in which it says nothing.
    pub async fn run(self, shutdown: CancellationToken) {
        self.run_knowing(vocabulary::this_build, shutdown).await;
    }

    /// [`run`](Self::run), knowing only the events that `knows` says: as an older build does. At
    /// another one it stops and lets a projector that stands by try.
    pub async fn run_knowing(self, knows: Knows, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            never = self.turns(knows, &shutdown) => match never {},
        }
    }

    async fn turns(&self, knows: Knows, shutdown: &CancellationToken) -> Infallible {
        let mut backoff = Backoff::default();
        let mut reporter = Reporter::new(&self.replica);
        loop {
            let error = match Session::take(&self.pool, &self.replica).await {
                Ok(session) => {
                    self.turn(session, knows, &mut backoff, &mut reporter, shutdown)
                        .await
                }
                Err(error) => error.into(),
            };
            reporter.report(&error);
            if matches!(error, ProjectorError::Unknown(_)) {
                backoff.lengthen();
            }
            backoff.wait(shutdown).await;
        }
    }

    /// Projects as long as the session lasts and its events are known; what ended it.
    async fn turn(
        &self,
        mut session: Session,
        knows: Knows,
        backoff: &mut Backoff,
        reporter: &mut Reporter,
        shutdown: &CancellationToken,
    ) -> ProjectorError {
        loop {
            let mut advanced = false;
            let ended = match Following::begin(self, &mut session, knows, &mut advanced).await {
                Ok(following) => following.run().await,
                Err(error) => Err(error),
            };
            if advanced {
                backoff.reset();
                reporter.forget();
            }
            match ended {
                Ok(()) => {}
                Err(error) if error.ends_the_turn() => return error,
                Err(error) => {
                    reporter.report(&error);
                    if let Err(lost) = session.during(backoff.wait(shutdown)).await {
                        return lost.into();
                    }
                }
            }
        }
    }
}
