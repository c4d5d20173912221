//! The epochs of a log. Positions are dense within an epoch; between two of them lies the one
//! declared gap: positions that the log lost and never gives out again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Position;

/// A stretch of the log without gaps, up to where the next epoch was declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which log; the same in all its epochs.
    pub log_id: Uuid,
    /// Its number. Grows from epoch to epoch, not always by one.
    pub epoch: i32,
    /// The last position that survived from the epochs before; 0 in the first.
    pub forked_after: Position,
    /// Where this epoch's events begin. The position before it belongs to nobody: it is where the
    /// log stands when the epoch has begun and nothing has happened in it yet.
    pub first_position: Position,
}

impl Epoch {
    /// What somebody has seen who has seen everything up to `forked_after`: nothing lies between.
    fn threshold(&self) -> Position {
        self.first_position - 1
    }
}

/// A log without an epoch is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log has no epoch")]
pub struct NoEpoch;

/// Somebody who is to be trusted has seen what the log does not hold: the log lost its tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "log diverged at {}: the log ends at {head} in epoch {log_epoch}, {seen} was seen in epoch {seen_epoch}",
    head + 1
)]
pub struct Diverged {
    /// The last position of the log.
    pub head: Position,
    /// The log's epoch.
    pub log_epoch: i32,
    /// What was seen elsewhere.
    pub seen: Position,
    /// In which epoch.
    pub seen_epoch: i32,
}

/// How somebody who has followed the log stands towards it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In the current epoch.
    Current,
    /// In an earlier epoch, and everything seen is still in the log.
    Earlier,
    /// In an earlier epoch, and some of what was seen is lost.
    Lost,
}

/// All epochs of a log, in order. There is always one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epochs {
    earlier: Vec<Epoch>,
    current: Epoch,
}

impl Epochs {
    /// The epochs of a log, in any order.
    ///
    /// # Errors
    /// [`NoEpoch`] when there are none.
    pub fn try_new(mut epochs: Vec<Epoch>) -> Result<Self, NoEpoch> {
        epochs.sort_by_key(|epoch| epoch.epoch);
        let current = epochs.pop().ok_or(NoEpoch)?;
        Ok(Self {
            earlier: epochs,
            current,
        })
    }

    /// Those of a log that never lost anything.
    pub fn first(log_id: Uuid) -> Self {
        Self {
            earlier: Vec::new(),
            current: Epoch {
                log_id,
                epoch: 1,
                forked_after: 0,
                first_position: 1,
            },
        }
    }

    /// The epoch in which events happen now.
    pub fn current(&self) -> &Epoch {
        &self.current
    }

    /// How far somebody is who has seen every event up to `position`: over the gap, where one
    /// begins there.
    pub fn through(&self, position: Position) -> Position {
        self.all().fold(position, |reached, epoch| {
            if epoch.forked_after <= reached && reached < epoch.threshold() {
                epoch.threshold()
            } else {
                reached
            }
        })
    }

    /// The position of the event that follows the one at `position`.
    pub fn after(&self, position: Position) -> Position {
        self.through(position) + 1
    }

    /// Whether the log once had an event at `position` and lost it, or may have.
    pub fn is_lost(&self, position: Position) -> bool {
        self.all()
            .any(|epoch| epoch.forked_after < position && position < epoch.threshold())
    }

    /// How somebody stands who has followed the log up to `position` in `epoch`, while the log is
    /// at `head`.
    ///
    /// # Errors
    /// [`Diverged`] when that is more than the log holds.
    pub fn standing(
        &self,
        epoch: i32,
        position: Position,
        head: Position,
    ) -> Result<Standing, Diverged> {
        if epoch > self.current.epoch || position > head {
            return Err(Diverged {
                head,
                log_epoch: self.current.epoch,
                seen: position,
                seen_epoch: epoch,
            });
        }
        // Each later epoch forks off behind the ones before it: the first one decides.
        Ok(match self.all().find(|later| later.epoch > epoch) {
            None => Standing::Current,
            Some(later) if position <= later.forked_after => Standing::Earlier,
            Some(_) => Standing::Lost,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Epoch> {
        self.earlier.iter().chain([&self.current])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: i32, forked_after: Position, first_position: Position) -> Epoch {
        Epoch {
            log_id: Uuid::nil(),
            epoch,
            forked_after,
            first_position,
        }
    }

    /// 1 to 100, then 152 to 160, then from 200 on.
    fn twice_forked() -> Epochs {
        let epochs = vec![epoch(3, 160, 200), epoch(1, 0, 1), epoch(2, 100, 152)];
        Epochs::try_new(epochs).unwrap()
    }

    #[test]
    fn a_log_without_an_epoch_is_none() {
        assert_eq!(Epochs::try_new(Vec::new()), Err(NoEpoch));
    }

    #[test]
    fn the_latest_epoch_is_the_current_one() {
        assert_eq!(twice_forked().current().epoch, 3);
    }

    #[test]
    fn within_an_epoch_one_position_follows_the_other() {
        let epochs = twice_forked();
        for position in [0, 1, 99, 151, 152, 159, 199, 200, 1_000] {
            assert_eq!(epochs.after(position), position + 1, "{position}");
        }
        assert_eq!(Epochs::first(Uuid::nil()).after(0), 1);
    }

    #[test]
    fn the_gap_is_passed_in_one_step() {
        let epochs = twice_forked();
        assert_eq!(epochs.through(100), 151);
        assert_eq!(epochs.after(100), 152);
        assert_eq!(epochs.after(160), 200);
        assert_eq!(epochs.after(120), 152, "whoever shows lost events");
    }

    #[test]
    fn two_forks_with_nothing_between_are_one_gap() {
        let epochs = vec![epoch(1, 0, 1), epoch(2, 100, 152), epoch(3, 151, 300)];
        assert_eq!(Epochs::try_new(epochs).unwrap().after(100), 300);
    }

    #[test]
    fn lost_is_what_lies_between_two_epochs() {
        let epochs = twice_forked();
        for lost in [101, 120, 150, 161, 198] {
            assert!(epochs.is_lost(lost), "{lost}");
        }
        // 151 and 199 were never an event's: whoever is there has come over the gap.
        for held in [0, 1, 100, 151, 152, 160, 199, 200] {
            assert!(!epochs.is_lost(held), "{held}");
        }
    }

    #[test]
    fn whoever_has_seen_more_than_the_log_holds_shows_that_it_lost_its_tail() {
        let log = Epochs::first(Uuid::nil());
        let diverged = log.standing(1, 150, 100).unwrap_err();
        assert_eq!(
            diverged.to_string(),
            "log diverged at 101: the log ends at 100 in epoch 1, 150 was seen in epoch 1"
        );
        assert!(log.standing(2, 100, 100).is_err(), "the fork is lost too");
        assert!(twice_forked().standing(1, 500, 300).is_err());
    }

    #[test]
    fn an_earlier_epoch_is_harmless_up_to_the_fork() {
        let epochs = twice_forked();
        assert_eq!(epochs.standing(3, 230, 230), Ok(Standing::Current));
        assert_eq!(epochs.standing(1, 100, 230), Ok(Standing::Earlier));
        assert_eq!(epochs.standing(1, 101, 230), Ok(Standing::Lost));
        assert_eq!(epochs.standing(2, 160, 230), Ok(Standing::Earlier));
        assert_eq!(epochs.standing(2, 161, 230), Ok(Standing::Lost));
    }
}
