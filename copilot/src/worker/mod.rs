//! The co-pilot worker: takes requests for replies from the queue, lets a model answer, and records
//! the outcome with a command like anyone else.

mod reply;
mod stops;
mod stranded;
mod tokens;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use fido_commands::EventStore;
use fido_nats::backoff::Backoff;
use fido_nats::work::{PROGRESS_EVERY, WorkItem, WorkQueue};
use fido_nats::{Nats, NatsError};
use fido_projections::Replicas;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gateway::Gateway;
use stops::Stops;

/// How long replies may go on after the worker was told to stop; then others take over.
const DRAIN: Duration = Duration::from_secs(10);

/// What becomes of a request for a reply.
enum Verdict {
    /// Its outcome is an event.
    Settled,
    /// Somebody is to try again after this pause.
    Again(Duration),
    /// Another worker has taken over and will say when it is done.
    Superseded,
}

/// A worker. Any number of them share the queue.
pub struct Worker {
    desk: Arc<Desk>,
    concurrency: usize,
}

/// What one reply is written with.
struct Desk {
    store: EventStore,
    replicas: Replicas,
    nats: Nats,
    gateway: Gateway,
    stops: Stops,
}

impl Worker {
    /// A worker that writes up to `concurrency` replies at the same time.
    pub fn new(
        store: EventStore,
        replicas: Replicas,
        nats: Nats,
        gateway: Gateway,
        concurrency: usize,
    ) -> Self {
        Self {
            desk: Arc::new(Desk {
                store,
                replicas,
                nats,
                gateway,
                stops: Stops::new(),
            }),
            concurrency,
        }
    }

    /// Works until `shutdown`, then finishes what it can; the rest is given back.
    pub async fn run(self, shutdown: CancellationToken) {
        let replies = TaskTracker::new();
        let give_up = CancellationToken::new();
        let mut backoff = Backoff::default();
        let desk = Arc::clone(&self.desk);
        let until = give_up.clone();
        let listening = tokio::spawn(async move { desk.stops.listen(&desk.nats, &until).await });
        while !shutdown.is_cancelled() {
            let mut joined = false;
            let ended = tokio::select! {
                () = shutdown.cancelled() => break,
                ended = self.take_requests(&replies, &give_up, &mut joined) => ended,
            };
            if joined {
                backoff.reset();
            }
            match ended {
                Ok(()) => break,
                Err(NatsError::NoStream) => {
                    tracing::debug!("waiting for the relay to make the event stream");
                }
                Err(error) => tracing::warn!(error = %error, "the work queue cannot be asked"),
            }
            backoff.wait(&shutdown).await;
        }
        replies.close();
        if tokio::time::timeout(DRAIN, replies.wait()).await.is_err() {
            give_up.cancel();
            replies.wait().await;
        }
        listening.abort();
    }

    /// Takes one request after the other, each only when there is room to work on it at once.
    async fn take_requests(
        &self,
        replies: &TaskTracker,
        give_up: &CancellationToken,
        joined: &mut bool,
    ) -> Result<(), NatsError> {
        let queue = WorkQueue::join(&self.desk.nats).await?;
        *joined = true;
        let room = Arc::new(Semaphore::new(self.concurrency));
        tracing::info!(concurrency = self.concurrency, "the co-pilots listen");
        let stranded = async {
            stranded::answer(&self.desk, queue.begins(), &room, replies, give_up).await;
            std::future::pending::<Infallible>().await
        };
        let brought = async {
            loop {
                // The semaphore is never closed.
                let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                    return Ok(());
                };
                if let Some(item) = queue.next().await? {
                    let (desk, give_up) = (Arc::clone(&self.desk), give_up.clone());
                    replies.spawn(async move {
                        work(&desk, &item, &give_up).await;
                        drop(place);
                    });
                }
            }
        };
        tokio::select! {
            ended = brought => ended,
            never = stranded => match never {},
        }
    }
}

/// Works on one request, says so every few seconds, and says what became of it.
async fn work(desk: &Desk, item: &WorkItem, give_up: &CancellationToken) {
    let mut still_at_it = tokio::time::interval(PROGRESS_EVERY);
    still_at_it.tick().await;
    let mut writing = std::pin::pin!(desk.reply(&item.request));
    let verdict = loop {
        tokio::select! {
            verdict = &mut writing => break verdict,
            _ = still_at_it.tick() => item.progress().await,
            () = give_up.cancelled() => break Verdict::Again(Duration::ZERO),
        }
    };
    match verdict {
        Verdict::Settled => item.done().await,
        Verdict::Again(after) => item.give_back(after).await,
        Verdict::Superseded => {}
    }
}
