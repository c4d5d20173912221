//! Opening an event stream: where it begins, and whether it may.

use fido_commands::log::Log;
use fido_domain::Position;
use fido_projections::conversation;
use uuid::Uuid;

use super::board::Joined;
use super::feed::Feed;
use super::frame::{self, ResetReason};
use super::history::History;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api};

/// The most events that a client is told of one by one when it comes back.
const MOST: i64 = 10_000;

/// What a client wants to be told.
pub(super) struct Wish {
    /// Everything that happened after this; only what happens from now on when nothing is said.
    pub(super) after: Option<Position>,
    /// Of this conversation only.
    pub(super) conversation: Option<Uuid>,
    /// How far a replica must be to know what the client knows.
    pub(super) at_least: Option<Position>,
}

/// Where a stream begins.
enum Start {
    Now,
    After(History),
    Afresh(ResetReason),
}

impl Start {
    fn resumes(&self) -> bool {
        matches!(self, Self::After(_))
    }
}

/// The stream that `account` wishes for. Joins first and asks afterwards, so that nothing that
/// happens in between is lost.
pub(super) async fn open(api: &Api, account: Uuid, wish: Wish) -> Answer<Feed> {
    let (joined, presence) = api.hub.join(account, wish.after).await?;
    let start = start(api, account, wish.after, &joined).await?;
    if let Some(id) = wish.conversation {
        let known = wish.after.filter(|_| start.resumes()).max(wish.at_least);
        theirs(api, account, id, known.max(Some(joined.position))).await?;
    }
    let position = joined.position;
    let feed = |greeting, seen| Feed::new(greeting, seen, joined.inbox, wish.conversation);
    let feed = match start {
        Start::Now => feed(vec![frame::hello(position)], position),
        Start::After(history) => {
            let seen = history.after();
            feed(vec![frame::hello(position.max(seen))], seen).catching_up(history, joined.missed)
        }
        Start::Afresh(reason) => {
            let reset = frame::reset(reason, position);
            feed(vec![frame::hello(position), reset], position)
        }
    };
    Ok(feed.holding(presence))
}

async fn start(
    api: &Api,
    account: Uuid,
    after: Option<Position>,
    joined: &Joined,
) -> Answer<Start> {
    let Some(after) = after else {
        return Ok(Start::Now);
    };
    if joined.is_lost {
        return Ok(Start::Afresh(ResetReason::LostRange));
    }
    if after > joined.position && after > head_of_the_log(api).await? {
        return Ok(Start::Afresh(ResetReason::Ahead));
    }
    let history = History::new(api.replicas.clone(), account, after, joined.floor);
    let in_ring = i64::try_from(joined.missed.len()).unwrap_or(MOST);
    if history.exceeds(MOST - in_ring).await? {
        return Ok(Start::Afresh(ResetReason::TooFarBehind));
    }
    Ok(Start::After(history))
}

/// The hub may be a moment behind the log, so only the log can say what does not exist.
async fn head_of_the_log(api: &Api) -> Answer<Position> {
    Ok(Log::new(api.store.pool().clone()).head().await?)
}

/// Refuses a conversation that is not `account`'s. Whatever a replica shows already will do: a
/// conversation stays whose it is. Only one that is not there (yet) makes the client wait.
async fn theirs(api: &Api, account: Uuid, id: Uuid, known: Option<Position>) -> Answer<()> {
    for at_least in [None, known] {
        let query =
            |mut snapshot| async move { conversation::one(&mut snapshot, account, id).await };
        let (_, found) = api.replicas.ask(at_least, query).await?;
        if found.is_some() {
            return Ok(());
        }
    }
    Err(Problem::new(Kind::NotFound).field("conversation", "is not one of yours"))
}
