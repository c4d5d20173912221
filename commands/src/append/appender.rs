//! The one thread of a process that appends: batches in, outcomes out, one batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use fido_domain::Position;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::call::{Answer, Caller, append_events};
use super::line::{Line, Meaning, meaning};
use super::pulse::Pulse;
use super::{AppendError, Outcome, Submission};
use crate::ambient;

/// Commands in one batch at most.
const BATCH: usize = 512;
/// Bytes in one batch at most, unless one command alone is larger.
const BATCH_BYTES: usize = 1024 * 1024;
/// Commands that may wait.
const QUEUE: usize = 8_192;
/// What waiting commands and those at the database may take together, in KiB.
const ROOM_KIB: usize = 32 * 1024;
/// How long a command waits to be sent.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an answer may take; the server's own limits (`statement_timeout`) come first.
const ANSWER: Duration = Duration::from_secs(40);
/// The pause before a broken line is opened again; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where commands queue. Cheap to clone; the thread behind it ends with the last clone.
#[derive(Clone)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    pulse: Arc<Pulse>,
}

/// A command in the queue.
struct Waiting {
    submission: Submission,
    ticket: Arc<Ticket>,
    reply: oneshot::Sender<Result<Outcome, AppendError>>,
    _room: OwnedSemaphorePermit,
}

/// Decides between a command that gives up waiting and the appender that is about to send it.
#[derive(Default)]
struct Ticket(AtomicU8);

impl Ticket {
    const WAITING: u8 = 0;
    const SENT: u8 = 1;
    const WITHDRAWN: u8 = 2;

    /// From now on only the database knows what becomes of it; false when it was withdrawn.
    fn send(&self) -> bool {
        self.move_on(Self::SENT) != Self::WITHDRAWN
    }

    /// It will not be sent; false when it was.
    fn withdraw(&self) -> bool {
        self.move_on(Self::WITHDRAWN) != Self::SENT
    }

    /// Where it was before.
    fn move_on(&self, to: u8) -> u8 {
        self.0
            .compare_exchange(Self::WAITING, to, Ordering::AcqRel, Ordering::Acquire)
            .unwrap_or_else(|already| already)
    }
}

impl Appender {
    /// Starts the task, which connects with `options` when there is something to append.
    ///
    /// It has a thread of its own: on the threads where commands are decided an answer of the database
    /// would be noticed only after dozens of them, and the database waits meanwhile.
    pub(crate) fn start(options: PgConnectOptions) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let pulse = Arc::new(Pulse::new());
        let desk = Desk {
            line: Line::new(options),
            appender: ambient::new_id(),
            attempt: 0,
            pulse: Arc::clone(&pulse),
        };
        let thread = std::thread::Builder::new().name("fido-appender".to_owned());
        #[expect(clippy::expect_used, reason = "without threads nothing of Fido runs")]
        thread
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime for the appender");
                runtime.block_on(desk.run(waiting));
            })
            .expect("a thread for the appender");
        Self {
            queue,
            room: Arc::new(Semaphore::new(ROOM_KIB)),
            pulse,
        }
    }

    /// What the process knows of the head.
    pub(crate) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Queues `submission` and waits for what becomes of it: up to five seconds to be sent, and from
    /// then on for as long as it takes to know.
    pub(crate) async fn append(&self, submission: Submission) -> Result<Outcome, AppendError> {
        let kib = u32::try_from(submission.size().div_ceil(1024)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(kib.max(1))
            .map_err(|_| AppendError::Full)?;
        let ticket = Arc::new(Ticket::default());
        let (reply, mut answer) = oneshot::channel();
        self.queue
            .try_send(Waiting {
                submission,
                ticket: Arc::clone(&ticket),
                reply,
                _room: room,
            })
            .map_err(|_| AppendError::Full)?;
        let answer = match timeout(PATIENCE, &mut answer).await {
            Ok(answer) => answer,
            Err(_elapsed) if ticket.withdraw() => return Err(AppendError::Unreachable),
            Err(_elapsed) => answer.await,
        };
        match answer {
            Ok(outcome) => outcome,
            Err(_) if ticket.withdraw() => Err(AppendError::Unreachable),
            // The task has gone in the middle of it, as at the end of the process: nothing is known,
            // so nothing is said.
            Err(_) => std::future::pending().await,
        }
    }
}

/// What became of a part of a batch that was sent as one.
enum Sent {
    Outcomes(Vec<Outcome>),
    /// Nobody waits for it any more, and it was not sent.
    Withdrawn,
    /// The log is in another epoch than the commands were decided in.
    Overtaken,
    /// The database refuses something in it.
    Refused(Arc<sqlx::Error>),
    /// Nothing in it was appended.
    Failed(AppendError),
}

/// The appender's side of the queue.
struct Desk {
    line: Line,
    appender: Uuid,
    attempt: i64,
    pulse: Arc<Pulse>,
}

impl Desk {
    async fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut collected = VecDeque::with_capacity(BATCH);
        let mut arrived = Vec::with_capacity(BATCH);
        loop {
            if collected.is_empty() && queue.recv_many(&mut arrived, BATCH).await == 0 {
                return;
            }
            collected.extend(arrived.drain(..));
            while collected.len() < BATCH
                && let Ok(waiting) = queue.try_recv()
            {
                collected.push_back(waiting);
            }
            self.settle(next_batch(&mut collected)).await;
        }
    }

    /// Tells each command of `batch` its outcome. What the database refuses is split until what is
    /// refused is one command alone.
    async fn settle(&mut self, batch: Vec<Waiting>) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            match self.send(&mut part).await {
                Sent::Outcomes(outcomes) => self.tell(part, outcomes),
                Sent::Withdrawn => {}
                Sent::Overtaken => fill(part, &Ok(Outcome::Conflict)),
                Sent::Refused(error) if part.len() == 1 => {
                    fill(part, &Err(AppendError::Refused(error)));
                }
                Sent::Refused(_) => {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
                Sent::Failed(error) => fill(part, &Err(error)),
            }
        }
    }

    /// Sends `part` until it is known what became of it.
    async fn send(&mut self, part: &mut Vec<Waiting>) -> Sent {
        let mut outage = Outage::default();
        loop {
            let sent = match self.try_send(part, &mut outage).await {
                Ok(sent) => sent,
                Err(error) => {
                    self.line.cut();
                    outage.goes_on(&error, part.len()).await;
                    continue;
                }
            };
            outage.ends();
            return sent;
        }
    }

    /// Sends `part` once. An error leaves open what became of it, if it was sent at all.
    async fn try_send(
        &mut self,
        part: &mut Vec<Waiting>,
        outage: &mut Outage,
    ) -> Result<Sent, sqlx::Error> {
        let connection = self.line.connection().await?;
        let epoch = self.pulse.epoch();
        let overtaken = part.extract_if(.., |waiting| waiting.submission.epoch != epoch);
        fill(overtaken, &Ok(Outcome::Conflict));
        part.retain(|waiting| waiting.ticket.send());
        if part.is_empty() {
            return Ok(Sent::Withdrawn);
        }
        if outage.in_doubt {
            self.attempt += 1;
        }
        let caller = Caller {
            appender: self.appender,
            attempt: self.attempt,
            seen: self.pulse.seen(),
            epoch,
        };
        let batch: Vec<_> = part.iter().map(|waiting| &waiting.submission).collect();
        let answer = timeout(ANSWER, append_events(connection, caller, &batch)).await;
        match answer.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(Answer::Outcomes(outcomes)) => Ok(Sent::Outcomes(outcomes)),
            Ok(Answer::Diverged { head }) => Ok(Sent::Failed(AppendError::Diverged { head })),
            Ok(Answer::Epoch(epoch)) => {
                tracing::warn!(
                    epoch,
                    "the log is in another epoch; what was loaded is forgotten"
                );
                self.pulse.begin(epoch);
                Ok(Sent::Overtaken)
            }
            Err(error) => match meaning(&error) {
                Meaning::Refused => Ok(Sent::Refused(Arc::new(error))),
                Meaning::Busy if !outage.in_doubt => {
                    Ok(Sent::Failed(AppendError::Busy(Arc::new(error))))
                }
                Meaning::Busy | Meaning::Unknown => {
                    outage.in_doubt = true;
                    Err(error)
                }
            },
        }
    }

    fn tell(&self, part: Vec<Waiting>, outcomes: Vec<Outcome>) {
        let mut last = 0;
        for (waiting, outcome) in part.iter().zip(&outcomes) {
            if let Outcome::Appended { first_position, .. } = outcome {
                let events = Position::try_from(waiting.submission.events.len()).unwrap_or(0);
                last = last.max(first_position + events - 1);
            }
        }
        self.pulse.reached(last);
        for (waiting, outcome) in part.into_iter().zip(outcomes) {
            // Whoever asked may have gone; the outcome stands in the log.
            let _ = waiting.reply.send(Ok(outcome));
        }
    }
}

fn fill(part: impl IntoIterator<Item = Waiting>, outcome: &Result<Outcome, AppendError>) {
    for waiting in part {
        let _ = waiting.reply.send(outcome.clone());
    }
}

/// As many of the commands that were collected as make a batch, in order.
fn next_batch(collected: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut bytes = 0;
    let mut commands = 0;
    for waiting in collected.iter().take(BATCH) {
        bytes += waiting.submission.size();
        if commands > 0 && bytes > BATCH_BYTES {
            break;
        }
        commands += 1;
    }
    collected.drain(..commands).collect()
}

/// A time without an answer.
#[derive(Default)]
struct Outage {
    since: Option<Instant>,
    pause: Duration,
    /// Whether the commands were sent, so that they may have been taken.
    in_doubt: bool,
}

impl Outage {
    async fn goes_on(&mut self, error: &sqlx::Error, commands: usize) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!(
                commands,
                in_doubt = self.in_doubt,
                error = %error,
                "the line to the event store broke; asking until it is known what became of them"
            );
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
    }

    fn ends(&self) {
        if let Some(since) = self.since {
            tracing::info!(
                duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
                "the line to the event store is back, and every outcome is known"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_either_sent_or_withdrawn() {
        let ticket = Ticket::default();
        assert!(ticket.send() && ticket.send());
        assert!(!ticket.withdraw());
        let ticket = Ticket::default();
        assert!(ticket.withdraw() && ticket.withdraw());
        assert!(!ticket.send());
    }
}
