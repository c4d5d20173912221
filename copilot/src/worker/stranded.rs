//! Requests that the queue does not bring, as the event stream begins behind them: it was made anew
//! after a fork of the log, or everybody was away for longer than it remembers. The read models still
//! show that somebody waits.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use fido_commands::ambient;
use fido_commands::log::{Log, LogError};
use fido_domain::conversation::{Conversation, ConversationEvent};
use fido_domain::{Evolve, Position, Recorded};
use fido_projections::{ReadError, conversation};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{Desk, Verdict};

/// The pause before the read models are asked again.
const LOOK: Duration = Duration::from_secs(5);
/// Longer than anybody writes who has begun a reply.
const AT_IT: Duration = Duration::from_secs(360);

/// The requests cannot be looked up.
#[derive(Debug, thiserror::Error)]
enum Blind {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Answers whoever asked before the position `before` and still waits; comes to an end when nobody
/// does.
pub(super) async fn answer(
    desk: &Arc<Desk>,
    before: Position,
    room: &Arc<Semaphore>,
    replies: &TaskTracker,
    give_up: &CancellationToken,
) {
    // The read models may take a while to show it, or never do, as when the person was erased.
    let settled = Arc::new(Mutex::new(HashSet::new()));
    loop {
        let known = settled.lock().await.clone();
        match desk.stranded(before, &known).await {
            Ok(Stranded { waiting: 0, .. }) => return,
            Ok(Stranded { requests, waiting }) => {
                tracing::info!(
                    waiting,
                    beginning = requests.len(),
                    "people wait for replies that the queue does not bring"
                );
                for request in requests {
                    // The semaphore is never closed.
                    let Ok(place) = Arc::clone(room).acquire_owned().await else {
                        return;
                    };
                    let (desk, give_up) = (Arc::clone(desk), give_up.clone());
                    let settled = Arc::clone(&settled);
                    replies.spawn(async move {
                        let verdict = give_up.run_until_cancelled(desk.reply(&request)).await;
                        // What is not settled is found again.
                        if matches!(verdict, Some(Verdict::Settled)) {
                            settled.lock().await.insert(request.position);
                        }
                        drop(place);
                    });
                }
            }
            Err(error) => {
                tracing::info!(error = %error, "whether anybody is left without a reply is not known yet");
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Who waits.
struct Stranded {
    /// Requests that nobody works on.
    requests: Vec<Recorded>,
    /// How many wait, these included.
    waiting: usize,
}

impl Desk {
    async fn stranded(
        &self,
        before: Position,
        settled: &HashSet<Position>,
    ) -> Result<Stranded, Blind> {
        // A replica that is further than that shows nothing that the log has lost.
        let query =
            |mut snapshot| async move { conversation::open_requests(&mut snapshot, before).await };
        let (_, mut open) = self.replicas.ask(Some(before - 1), query).await?;
        open.retain(|position| !settled.contains(position));
        let log = Log::new(self.store.pool().clone());
        let mut requests = Vec::new();
        for &position in &open {
            let request = log.after(position - 1, 1).await?.pop();
            if let Some(request) = request.filter(|request| request.position == position)
                && !is_begun(&log, &request).await?
            {
                requests.push(request);
            }
        }
        Ok(Stranded {
            requests,
            waiting: open.len(),
        })
    }
}

/// Whether somebody has begun to write the reply, not too long ago.
async fn is_begun(log: &Log, request: &Recorded) -> Result<bool, LogError> {
    let Some(reply_id) = reply_of(request) else {
        return Ok(false);
    };
    let stream = log.stream(Conversation::TYPE, request.aggregate_id).await?;
    let begun = stream.iter().rev().find(|event| {
        matches!(
            event.event(),
            Ok(ConversationEvent::ReplyStarted { reply_id: begun, .. }) if begun == reply_id
        )
    });
    Ok(begun.is_some_and(|begun| ambient::now() - begun.recorded_at < AT_IT))
}

fn reply_of(request: &Recorded) -> Option<Uuid> {
    match request.event() {
        Ok(ConversationEvent::ReplyRequested { reply_id, .. }) => Some(reply_id),
        Ok(
            ConversationEvent::ConversationStarted { .. }
            | ConversationEvent::ConversationTitled { .. }
            | ConversationEvent::MessagePosted { .. }
            | ConversationEvent::ReplyStarted { .. }
            | ConversationEvent::ReplyCompleted { .. }
            | ConversationEvent::ReplyFailed { .. }
            | ConversationEvent::ReplyCancelled { .. }
            | ConversationEvent::PartialReplyRecorded { .. }
            | ConversationEvent::ReplyRated { .. }
            | ConversationEvent::ConversationArchived {}
            | ConversationEvent::ConversationRestored {}
            | ConversationEvent::ConversationErased {},
        )
        | Err(_) => None,
    }
}
