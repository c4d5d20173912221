//! One task a process follows the log's end and hands each event to whoever may see it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fido_commands::auth::{Auth, Revocation};
use fido_commands::log::{Log, LogError};
use fido_commands::vault::StreamId;
use fido_commands::{EventStore, erasure};
use fido_domain::{Epochs, Position, Recorded};
use fido_nats::tail::{Tail, TailError};
use fido_nats::{Nats, NatsError};
use fido_projections::Replicas;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::board::{Board, Joined};
use super::rooms::{Farewell, Push};
use super::tokens::Listening;
use crate::problem::describe;

/// How many events of the log are kept for clients that come back.
const KEPT: usize = 4_096;
/// How long a client that joins waits for the log to be followed, or for tokens to be heard.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause before the log is followed again.
const PAUSE: Duration = Duration::from_millis(500);

/// The log is not followed right now.
#[derive(Debug, thiserror::Error)]
#[error("the end of the log is not being followed")]
pub(crate) struct NotFollowing;

/// The log's end was lost.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Tail(#[from] TailError),
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the event stream is still that of epoch {stream}, the log is in epoch {log}")]
    Stale { stream: i32, log: i32 },
}

/// The hub of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Shared>);

struct Shared {
    board: Mutex<Board<Listening>>,
    following: watch::Sender<bool>,
    nats: Nats,
    store: EventStore,
    replicas: Replicas,
    auth: Auth,
}

/// A place in the hub, given back when it is dropped.
pub(super) struct Presence {
    hub: Hub,
    account: Uuid,
    seat: u64,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.hub.board().leave(self.account, self.seat);
    }
}

impl Hub {
    /// A hub that nobody can join before it [follows](Self::follow) the log.
    pub(crate) fn new(nats: Nats, store: EventStore, replicas: Replicas, auth: Auth) -> Self {
        Self(Arc::new(Shared {
            board: Mutex::new(Board::new()),
            following: watch::Sender::new(false),
            nats,
            store,
            replicas,
            auth,
        }))
    }

    /// Follows the log's end until `shutdown`, then says goodbye to everybody.
    pub(crate) async fn follow(self, shutdown: CancellationToken) {
        let forever = async {
            loop {
                let Err(error) = self.follow_once().await;
                self.stop(Farewell::Interrupted);
                tracing::warn!(
                    error = describe(&error),
                    "the log's end was lost; looking for it"
                );
                tokio::time::sleep(PAUSE).await;
            }
        };
        shutdown.run_until_cancelled(forever).await;
        self.stop(Farewell::Shutdown);
    }

    async fn follow_once(&self) -> Result<Infallible, Lost> {
        let mut tail = Tail::open(&self.0.nats).await?;
        self.0.store.witness(tail.position());
        let epochs = self.epochs(tail.epoch()).await?;
        // What clients missed is read from replicas that have come to the same epoch.
        self.0.replicas.expect(epochs.current());
        self.board().begin(epochs, tail.position(), KEPT);
        self.0.following.send_replace(true);
        loop {
            let event = tail.next().await?;
            self.publish(event);
        }
    }

    /// The epochs of the log, of which the stream carries `stream`. While the log cannot be asked,
    /// those that are known will do, as only the stream tells of new ones.
    async fn epochs(&self, stream: i32) -> Result<Epochs, Lost> {
        let epochs = match Log::new(self.0.store.pool().clone()).epochs().await {
            Ok(epochs) => epochs,
            Err(error) => {
                let known = self.board().epochs().cloned();
                known
                    .filter(|known| known.current().epoch == stream)
                    .ok_or(error)?
            }
        };
        let log = epochs.current().epoch;
        // The other way round the log has lost its tail; what is there can be followed all the same.
        if stream < log {
            return Err(Lost::Stale { stream, log });
        }
        Ok(epochs)
    }

    fn publish(&self, event: Recorded) {
        self.0.store.witness(event.position);
        self.forget(&event);
        let account = match event.metadata() {
            Ok(metadata) => Some(metadata.subject),
            Err(error) => {
                tracing::error!(error = %error, "an event that belongs to nobody known is shown to nobody");
                None
            }
        };
        self.board().publish(account, Arc::new(event));
    }

    /// A key that another process has destroyed must not be used here any longer, and what is
    /// remembered of an account follows the log, whoever has written it.
    fn forget(&self, event: &Recorded) {
        let (vault, account_id) = (self.0.store.vault(), event.aggregate_id);
        match event.event_type.as_str() {
            erasure::ACCOUNT_ERASED => {
                vault.forget_subject(account_id);
                self.0.auth.heard(Revocation::All { account_id });
            }
            "role_granted" | "role_revoked" => {
                self.0.auth.heard(Revocation::Roles { account_id });
            }
            erasure::CONVERSATION_ERASED => vault.forget(&StreamId::of(event)),
            _ => {}
        }
    }

    fn stop(&self, farewell: Farewell) {
        self.0.following.send_replace(false);
        self.board().stop(farewell);
    }

    /// Something live for `account`.
    pub(super) fn tell(&self, account: Uuid, push: &Push) {
        self.board().tell(account, push);
    }

    /// Lets a client of `account` in that has seen everything up to `after`. From then on nothing
    /// that happens to the account passes it by, tokens included.
    pub(super) async fn join(
        &self,
        account: Uuid,
        after: Option<Position>,
    ) -> Result<(Joined, Presence), NotFollowing> {
        let mut following = self.0.following.subscribe();
        // Whether it still follows a moment later the board says.
        let _ = timeout(PATIENCE, following.wait_for(|following| *following)).await;
        let (joined, presence, mut heard) = self.enter(account, after).ok_or(NotFollowing)?;
        // A client without tokens still sees every finished reply.
        let _ = timeout(PATIENCE, heard.wait_for(|heard| *heard)).await;
        Ok((joined, presence))
    }

    fn enter(
        &self,
        account: Uuid,
        after: Option<Position>,
    ) -> Option<(Joined, Presence, watch::Receiver<bool>)> {
        let listen = || Listening::begin(self.clone(), self.0.nats.clone(), account);
        let mut board = self.board();
        let (joined, listening) = board.join(account, after, listen)?;
        let presence = Presence {
            hub: self.clone(),
            account,
            seat: joined.inbox.seat,
        };
        Some((joined, presence, listening.heard()))
    }

    fn board(&self) -> MutexGuard<'_, Board<Listening>> {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
