//! What is known of one replica at a moment: how far it is, in which log, and whether it answers.

use fido_domain::Position;
use fido_nats::replica::{Announcement, Followed};
use tokio::time::Instant;

use super::survey::Shown;

/// What is known of one replica.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// It shows the log up to here.
    pub(super) position: Position,
    /// Which log, in which epoch; none before that was heard.
    pub(super) followed: Option<Followed>,
    /// Its projector does not follow, or something is left out of it.
    pub(super) is_ailing: bool,
    /// A physical standby: nobody announces it.
    pub(super) is_standby: bool,
    /// When its position was last heard or read.
    pub(super) heard: Option<Instant>,
    /// Since when it cannot be asked.
    pub(super) out_since: Option<Instant>,
    /// Grows with everything that changes.
    pub(super) version: u64,
}

impl Known {
    /// Its projector's word is the latest, also when it begins again from nothing.
    pub(super) fn announced(&mut self, told: &Announcement, now: Instant) -> bool {
        self.heard = Some(now);
        let before = (self.position, self.followed, self.is_ailing);
        self.position = told.position;
        self.followed = told.followed.or(self.followed);
        self.is_ailing = !told.is_healthy();
        self.changed(before != (self.position, self.followed, self.is_ailing))
    }

    /// What its checkpoint said when `version` was known. It may be older than what has been heard
    /// since then.
    pub(super) fn read(&mut self, shown: &Shown, version: u64, now: Instant) -> bool {
        let epoch = |followed: Option<Followed>| followed.map(|followed| followed.epoch);
        let is_latest = self.version == version || epoch(shown.followed) > epoch(self.followed);
        let is_outdated = epoch(shown.followed) < epoch(self.followed);
        self.heard = Some(now);
        let before = (self.position, self.followed, self.is_standby);
        self.is_standby = shown.is_standby;
        if is_latest {
            self.position = shown.position;
            self.followed = shown.followed;
        } else if !is_outdated {
            self.position = self.position.max(shown.position);
        }
        self.changed(before != (self.position, self.followed, self.is_standby))
    }

    /// How it says that it fares.
    pub(super) fn fares(&mut self, is_ailing: bool) -> bool {
        let before = std::mem::replace(&mut self.is_ailing, is_ailing);
        self.changed(before != is_ailing)
    }

    /// It cannot be asked from now on.
    pub(super) fn went_out(&mut self, now: Instant) -> bool {
        let was_in = self.out_since.is_none();
        self.out_since.get_or_insert(now);
        self.changed(was_in)
    }

    /// It can be asked again.
    pub(super) fn came_back(&mut self) -> bool {
        let was_out = self.out_since.take().is_some();
        self.changed(was_out)
    }

    fn changed(&mut self, has_changed: bool) -> bool {
        self.version += u64::from(has_changed);
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn followed(epoch: i32) -> Option<Followed> {
        let log_id = Uuid::nil();
        Some(Followed { log_id, epoch })
    }

    fn announce(known: &mut Known, position: Position, epoch: i32) -> bool {
        let told = Announcement {
            followed: followed(epoch),
            ..Announcement::from(position)
        };
        known.announced(&told, Instant::now())
    }

    fn read(known: &mut Known, position: Position, epoch: i32, version: u64) {
        let shown = Shown {
            position,
            followed: followed(epoch),
            is_standby: false,
        };
        known.read(&shown, version, Instant::now());
    }

    #[test]
    fn a_snapshot_that_was_overtaken_takes_nothing_back() {
        let mut known = Known::default();
        let before = known.version;
        assert!(announce(&mut known, 9, 1));
        read(&mut known, 7, 1, before);
        assert_eq!(known.position, 9);
        read(&mut known, 11, 1, before);
        assert_eq!(known.position, 11);
    }

    #[test]
    fn a_snapshot_that_nothing_overtook_is_the_truth() {
        let mut known = Known::default();
        announce(&mut known, 9, 1);
        let version = known.version;
        read(&mut known, 7, 1, version);
        assert_eq!(known.position, 7);
    }

    #[test]
    fn the_later_epoch_counts_whatever_the_position() {
        let mut known = Known::default();
        announce(&mut known, 150, 1);
        let before = known.version;
        assert!(announce(&mut known, 0, 2), "emptied");
        read(&mut known, 150, 1, before);
        assert_eq!((known.position, known.followed), (0, followed(2)));
        read(&mut known, 40, 3, before);
        assert_eq!((known.position, known.followed), (40, followed(3)));
    }

    #[test]
    fn the_same_again_is_no_news() {
        let mut known = Known::default();
        assert!(announce(&mut known, 9, 1));
        assert!(!announce(&mut known, 9, 1));
        assert!(known.went_out(Instant::now()));
        assert!(!known.went_out(Instant::now()));
        assert!(known.came_back());
        assert!(!known.came_back());
    }
}
