//! The log, read in large pages and applied as fast as one connection takes it.

use fido_commands::log::{Log, LogError};
use fido_domain::{Position, Recorded};
use sqlx::PgConnection;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::apply::{self, ApplyError, Unknown};
use crate::checkpoint::ContactError;
use crate::vocabulary;

/// Events in a page, and in a transaction. Large enough that the commit does not count, small enough
/// that a few pages fit in memory easily.
pub(super) const PAGE: i64 = 5_000;
/// Pages that are read ahead while one is applied.
const AHEAD: usize = 2;

/// Why a replay stopped; what was applied stays.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ReplayError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("the log ends at {found}, before {wanted}")]
    Short { found: Position, wanted: Position },
}

impl From<ContactError> for ReplayError {
    fn from(error: ContactError) -> Self {
        Self(error.into())
    }
}

/// Applies the events after `from` up to `to`, and none beyond, to the shadow, which stands at
/// `from`. Answers with where it stands then: `to`, or beyond a gap of the log that begins
/// there.
pub(super) async fn replay(
    shadow: &mut PgConnection,
    log: &Log,
    from: Position,
    to: Position,
    told: &(dyn Fn(Position) + Sync),
) -> Result<Position, ReplayError> {
    if from >= to {
        return Ok(from);
    }
    follow(shadow, log, from, to, told)
        .await
        .map_err(ReplayError)
}

async fn follow(
    shadow: &mut PgConnection,
    log: &Log,
    from: Position,
    to: Position,
    told: &(dyn Fn(Position) + Sync),
) -> Result<Position, Reason> {
    let epochs = log.epochs().await?;
    let mut pages = Pages::read(log.clone(), from, to);
    let mut position = from;
    while position < to {
        let page = pages.next().await?;
        if page.is_empty() && epochs.through(position) == position {
            return Err(Reason::Short {
                found: position,
                wanted: to,
            });
        }
        let applied =
            apply::apply(shadow, &epochs, position, &page, vocabulary::this_build).await?;
        if let Some(unknown) = applied.stopped {
            return Err(unknown.into());
        }
        position = applied.position;
        told(position);
    }
    Ok(position)
}

/// Pages of the log, read ahead by a task that ends with this.
struct Pages {
    receiver: mpsc::Receiver<Result<Vec<Recorded>, LogError>>,
    _reader: AbortOnDropHandle<()>,
}

impl Pages {
    fn read(log: Log, from: Position, to: Position) -> Self {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let reader = tokio::spawn(async move {
            let mut after = from;
            while after < to {
                let page = log
                    .after(after, PAGE.min(to - after))
                    .await
                    .map(|mut page| {
                        page.retain(|event| event.position <= to);
                        page
                    });
                match &page {
                    Ok(page) => match page.last() {
                        Some(last) => after = last.position,
                        None => return,
                    },
                    Err(_told) => after = to,
                }
                if sender.send(page).await.is_err() {
                    return;
                }
            }
        });
        Self {
            receiver,
            _reader: AbortOnDropHandle::new(reader),
        }
    }

    /// The next page; an empty one when there are no more.
    async fn next(&mut self) -> Result<Vec<Recorded>, LogError> {
        self.receiver.recv().await.unwrap_or(Ok(Vec::new()))
    }
}
