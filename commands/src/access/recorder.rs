//! Brings into the log what is told of the door, behind the backs of those who ask.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fido_domain::access::{self, Access, AccessEvent, StrangerRefusal};
use fido_domain::{Actor, Private};
use futures::future::join_all;
use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

use super::RecordAccess;
use super::pending::{About, Pending, Refusal, Single, Sum};
use crate::ambient;
use crate::store::{CommandContext, Committed, EventStore, ExecuteError, Origin};

/// How long refusals are summed up.
const SECOND: Duration = Duration::from_secs(1);
/// Commands that are under way at a time.
const AT_A_TIME: usize = 32;

/// Where the door tells what happened. Cheap to clone.
///
/// Sign-ins, sign-outs and refusals are only noted ([`happened`](Self::happened),
/// [`refused`](Self::refused)) and come into the log a moment later, or up to a second; a process that
/// is killed takes the last second's with it. What staff are about to see is recorded first
/// ([`record`](Self::record)).
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    store: EventStore,
    process: Uuid,
    pending: Mutex<Pending>,
    told: Notify,
}

/// What is to come into the log with one command.
struct Report {
    stream: Uuid,
    events: Vec<AccessEvent>,
    context: CommandContext,
    /// What it was made from, should it have to be told again.
    source: Source,
}

enum Source {
    Single(Box<Single>),
    Sums(Vec<(About, Sum)>),
}

/// What the events of one report have in common.
#[derive(PartialEq, Eq, Hash)]
struct Part {
    account: Option<Uuid>,
    address: Option<String>,
    actor: Actor,
}

impl Recorder {
    /// A recorder that keeps what it is told until it [runs](Self::run).
    pub fn new(store: EventStore) -> Self {
        Self(Arc::new(Inner {
            store,
            process: ambient::new_id(),
            pending: Mutex::default(),
            told: Notify::new(),
        }))
    }

    /// Notes something that `account` itself did. Never waits.
    pub fn happened(&self, account: Uuid, event: AccessEvent, origin: &Origin) {
        self.pending().tell(Single {
            account,
            actor: Actor::user(account),
            event,
            origin: origin.clone(),
            at: ambient::now(),
        });
        self.0.told.notify_one();
    }

    /// Notes a refusal of somebody at `address`, to or around `account`. Never waits.
    pub fn refused(&self, account: Uuid, refusal: Refusal, address: Option<&str>) {
        self.add(About::Account {
            account,
            address: address.map(str::to_owned),
            refusal,
        });
    }

    /// Notes a refusal of somebody unknown at `address`. Never waits.
    pub fn refused_a_stranger(&self, refusal: StrangerRefusal, address: Option<&str>) {
        self.add(About::Stranger {
            address: address.map(str::to_owned),
            refusal,
        });
    }

    /// Records `events` of `account`; when this returns they are in the log.
    ///
    /// # Errors
    /// [`ExecuteError`]; then they are not.
    pub async fn record(
        &self,
        account: Uuid,
        events: Vec<AccessEvent>,
        context: &CommandContext,
    ) -> Result<Committed<AccessEvent>, ExecuteError<Infallible>> {
        let stream = access::stream_of(account, context.issued_at.date());
        let command = RecordAccess(events);
        self.0
            .store
            .execute::<Access>(stream, command, context)
            .await
    }

    /// Brings into the log what is noted, until `shutdown` ends; then what is left.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut seconds = tokio::time::interval(SECOND);
        seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = self.0.told.notified() => self.tell_single().await,
                _ = seconds.tick() => self.tell_all().await,
            }
        }
        self.tell_all().await;
    }

    async fn tell_single(&self) {
        let single = std::mem::take(&mut self.pending().single);
        self.tell(single.into_iter().map(report).collect()).await;
    }

    async fn tell_all(&self) {
        let (single, sums, lost) = {
            let mut pending = self.pending();
            let single = std::mem::take(&mut pending.single);
            (
                single,
                pending.take_sums(),
                std::mem::take(&mut pending.lost),
            )
        };
        if lost > 0 {
            tracing::error!(
                lost,
                "there was no room for some of what happened at the door"
            );
        }
        let mut reports: Vec<_> = single.into_iter().map(report).collect();
        reports.extend(self.summed_up(sums));
        self.tell(reports).await;
    }

    /// Tells it, some at a time. What cannot be told now is told later, and the rest with it.
    async fn tell(&self, reports: Vec<Report>) {
        let mut reports = reports.into_iter().peekable();
        while reports.peek().is_some() {
            let some: Vec<Report> = reports.by_ref().take(AT_A_TIME).collect();
            let told = join_all(some.iter().map(|report| self.told(report))).await;
            let mut failed = false;
            for (report, told) in some.into_iter().zip(told) {
                if !told {
                    failed = true;
                    self.keep(report.source);
                }
            }
            if failed {
                reports.by_ref().for_each(|report| self.keep(report.source));
            }
        }
    }

    /// Whether nothing more is to be done about it.
    async fn told(&self, report: &Report) -> bool {
        let command = RecordAccess(report.events.clone());
        let store = &self.0.store;
        let told = store.execute::<Access>(report.stream, command, &report.context);
        match told.await {
            // Of whoever was erased nothing is told any longer.
            Ok(_) | Err(ExecuteError::Erased { .. }) => true,
            Err(
                error @ (ExecuteError::Corrupt { .. }
                | ExecuteError::ClaimTaken { .. }
                | ExecuteError::Stale { .. }
                | ExecuteError::KeyReused),
            ) => {
                tracing::error!(error = %error, "what happened at the door cannot be told");
                true
            }
            Err(ExecuteError::Refused(never)) => match never {},
            Err(
                error @ (ExecuteError::Contended { .. }
                | ExecuteError::Overloaded
                | ExecuteError::Diverged { .. }
                | ExecuteError::Unavailable(_)),
            ) => {
                tracing::warn!(error = %error, "what happened at the door is told later");
                false
            }
        }
    }

    fn keep(&self, source: Source) {
        let mut pending = self.pending();
        match source {
            Source::Single(single) => pending.tell(*single),
            Source::Sums(sums) => {
                for (about, sum) in sums {
                    pending.add(about, sum);
                }
            }
        }
    }

    fn add(&self, about: About) {
        let sum = Sum {
            count: 1,
            since: ambient::now(),
        };
        self.pending().add(about, sum);
    }

    /// One report for each account and address, and one for all strangers.
    fn summed_up(&self, sums: HashMap<About, Sum>) -> Vec<Report> {
        let mut parts: HashMap<Part, Vec<(About, Sum)>> = HashMap::new();
        for (about, sum) in sums {
            let (account, address) = match &about {
                About::Account {
                    account, address, ..
                } => (Some(*account), address.clone()),
                About::Stranger { .. } => (None, None),
            };
            let part = Part {
                account,
                address,
                actor: about.actor(),
            };
            parts.entry(part).or_default().push((about, sum));
        }
        let reports = parts
            .into_iter()
            .map(|(part, sums)| self.summed(part, sums));
        reports.collect()
    }

    fn summed(&self, part: Part, mut sums: Vec<(About, Sum)>) -> Report {
        sums.sort_by_key(|(_, sum)| sum.since);
        let since = sums.first().map_or_else(ambient::now, |(_, sum)| sum.since);
        let events = sums.iter().map(|(about, sum)| about.event(sum.count));
        Report {
            stream: part.account.map_or_else(
                || access::stream_of_strangers(self.0.process, hour(since)),
                |account| access::stream_of(account, since.date()),
            ),
            events: events.collect(),
            context: CommandContext {
                address: part.address.map(Private::new),
                issued_at: since,
                ..CommandContext::new(part.actor, part.account.unwrap_or(access::NOBODY))
            },
            source: Source::Sums(sums),
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn report(single: Single) -> Report {
    let command = single.origin.command(single.actor.clone(), single.account);
    Report {
        stream: access::stream_of(single.account, single.at.date()),
        events: vec![single.event.clone()],
        context: CommandContext {
            issued_at: single.at,
            receipt: None,
            ..command
        },
        source: Source::Single(Box::new(single)),
    }
}

fn hour(time: OffsetDateTime) -> i64 {
    time.unix_timestamp().div_euclid(60 * 60)
}
