//! A stream as a whole, content opened: as it is after a command, and as it was at any moment before.

use fido_domain::recorded::Undecodable;
use fido_domain::{Evolve, FullFold, Position};
use time::OffsetDateTime;
use uuid::Uuid;

use super::EventStore;
use crate::log::{Log, LogError};
use crate::vault::VaultError;

/// When to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When the log had come so far.
    Position(Position),
    /// When it was so late.
    Time(OffsetDateTime),
}

/// The past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// It is no past.
    #[error("that is still to come: the log ends at position {head}")]
    ToCome {
        /// Where the log ends.
        head: Position,
    },
    /// Whatever stood there is lost, or nothing ever did ([`crate::fork`]).
    #[error("nothing stands at position {position}: the log goes on behind a gap")]
    Lost {
        /// What was asked for.
        position: Position,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its content cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An event is not known to this build.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
}

impl EventStore {
    /// The whole of the stream `id` as it was at `moment`, and the position that this is; that of no
    /// stream where there was none yet.
    ///
    /// # Errors
    /// [`PastError`].
    pub async fn as_it_was<S, F>(
        &self,
        id: Uuid,
        moment: Moment,
    ) -> Result<(Position, F), PastError>
    where
        S: Evolve,
        F: FullFold<Event = S::Event>,
    {
        let log = Log::new(self.pool.clone());
        let (head, now) = log.now().await?;
        match moment {
            Moment::Position(position) if position > head => Err(PastError::ToCome { head }),
            Moment::Time(time) if time > now => Err(PastError::ToCome { head }),
            Moment::Position(position) => {
                if log.epochs().await?.is_lost(position) {
                    return Err(PastError::Lost { position });
                }
                let (_, whole) = self.folded::<S, F>(id, position, None).await?;
                Ok((position, whole))
            }
            Moment::Time(time) => self.folded::<S, F>(id, head, Some(time)).await,
        }
    }

    /// The whole of the stream `id` at `position`, where a command has just shown the log to be.
    ///
    /// # Errors
    /// [`PastError::Log`], [`PastError::Vault`] and [`PastError::Undecodable`].
    pub async fn after<S, F>(&self, id: Uuid, position: Position) -> Result<F, PastError>
    where
        S: Evolve,
        F: FullFold<Event = S::Event>,
    {
        let (_, whole) = self.folded::<S, F>(id, position, None).await?;
        Ok(whole)
    }

    /// What the stream's events up to then add up to, and where the last of them stands.
    async fn folded<S, F>(
        &self,
        id: Uuid,
        position: Position,
        time: Option<OffsetDateTime>,
    ) -> Result<(Position, F), PastError>
    where
        S: Evolve,
        F: FullFold<Event = S::Event>,
    {
        let log = Log::new(self.pool.clone());
        let (mut last, mut whole) = (0, F::default());
        for mut recorded in log.stream_until(S::TYPE, id, position, time).await? {
            self.vault.open(&mut recorded).await?;
            whole.evolve(&recorded.event()?, recorded.stamp());
            last = recorded.position;
        }
        Ok((last, whole))
    }
}
