//! Which replica a query goes to: among those that have come far enough the healthiest, and among
//! equals the one with the least to do.

use std::time::Duration;

use fido_domain::Position;
use tokio::time::Instant;
use uuid::Uuid;

use super::known::Known;

/// A replica this many events behind the furthest is not for those who want to see the present.
const FAR_BEHIND: Position = 1_000;
/// So is one that is behind, however little, and has not been heard of for so long.
const LONG_SILENT: Duration = Duration::from_secs(2);

/// The log, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// Which; none when nobody has said.
    pub(super) log_id: Option<Uuid>,
    /// The latest epoch that was heard of. They only grow.
    pub(super) epoch: i32,
}

/// How well a replica would answer, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// As it should be.
    Fit,
    /// Far enough, but streams are left out, or it stands still.
    Ailing,
    /// It shows the past, to somebody who asks for no position.
    Lagging,
    /// Nothing is known of it yet.
    Unknown,
    /// It is in another epoch of the log than the log itself, so it may show what is lost.
    Elsewhere,
}

/// How well a replica of which this is `known` would answer somebody who asks for position `asked`
/// (0 is none); none when it must not. `furthest` is how far any of them is.
///
/// After a fork a replica that has not met the new epoch may show events that are lost, and its
/// position may be one that was given out again. So it never counts as having reached a position; but
/// it answers those who ask for none as long as no other can, as it did before the fork.
pub(super) fn rank(
    known: &Known,
    log: Log,
    asked: Position,
    furthest: Position,
    now: Instant,
) -> Option<Rank> {
    if known.out_since.is_some() {
        return None;
    }
    let Some(heard) = known.heard else {
        return Some(Rank::Unknown);
    };
    let (is_other_log, is_elsewhere) = known.followed.map_or((false, false), |followed| {
        let is_other_log = log.log_id.is_some_and(|log_id| log_id != followed.log_id);
        (is_other_log, followed.epoch != log.epoch)
    });
    if is_other_log || known.position < asked || asked > 0 && is_elsewhere {
        return None;
    }
    let behind = furthest - known.position;
    let is_lagging = behind > FAR_BEHIND || behind > 0 && now.duration_since(heard) > LONG_SILENT;
    Some(if is_elsewhere {
        Rank::Elsewhere
    } else if asked == 0 && is_lagging {
        Rank::Lagging
    } else if known.is_ailing {
        Rank::Ailing
    } else {
        Rank::Fit
    })
}

/// The best of `candidates` (rank, how much it has to do); among equals whoever comes first from
/// `turn` on.
pub(super) fn best<T>(
    candidates: impl IntoIterator<Item = (Rank, usize, T)>,
    turn: usize,
) -> Option<T> {
    let mut candidates: Vec<_> = candidates.into_iter().collect();
    if candidates.is_empty() {
        return None;
    }
    let turn = turn % candidates.len();
    candidates.rotate_left(turn);
    let best = candidates
        .into_iter()
        .min_by_key(|(rank, in_flight, _)| (*rank, *in_flight))?;
    Some(best.2)
}

#[cfg(test)]
mod tests {
    use fido_nats::replica::Followed;

    use super::*;

    const LOG: Log = Log {
        log_id: Some(Uuid::from_u128(7)),
        epoch: 2,
    };

    fn known(position: Position) -> Known {
        Known {
            position,
            followed: Some(Followed {
                log_id: Uuid::from_u128(7),
                epoch: 2,
            }),
            heard: Some(Instant::now()),
            ..Known::default()
        }
    }

    fn rank_of(known: &Known, asked: Position, furthest: Position) -> Option<Rank> {
        rank(known, LOG, asked, furthest, Instant::now())
    }

    fn in_epoch(epoch: i32, mut known: Known) -> Known {
        known.followed.as_mut().unwrap().epoch = epoch;
        known
    }

    #[test]
    fn whoever_asks_for_a_position_gets_it_or_something_later() {
        assert_eq!(rank_of(&known(99), 100, 100), None);
        assert_eq!(rank_of(&known(100), 100, 100), Some(Rank::Fit));
        assert_eq!(
            rank_of(&known(100), 100, 5_000),
            Some(Rank::Fit),
            "far enough"
        );
    }

    #[test]
    fn whoever_asks_for_none_gets_the_present_where_it_can_be_had() {
        assert_eq!(rank_of(&known(100), 0, 1_100), Some(Rank::Fit));
        assert_eq!(rank_of(&known(100), 0, 1_101), Some(Rank::Lagging));
        let mut silent = known(100);
        silent.heard = Instant::now().checked_sub(Duration::from_secs(3));
        assert_eq!(rank_of(&silent, 0, 100), Some(Rank::Fit), "nothing to tell");
        assert_eq!(rank_of(&silent, 0, 101), Some(Rank::Lagging));
    }

    #[test]
    fn a_replica_in_another_epoch_has_reached_nothing() {
        let before_the_fork = in_epoch(1, known(500));
        assert_eq!(rank_of(&before_the_fork, 100, 500), None);
        assert_eq!(rank_of(&before_the_fork, 0, 500), Some(Rank::Elsewhere));
    }

    #[test]
    fn a_replica_of_another_log_is_never_asked() {
        let mut foreign = known(500);
        foreign.followed.as_mut().unwrap().log_id = Uuid::from_u128(8);
        assert_eq!(rank_of(&foreign, 0, 500), None);
        assert_eq!(rank_of(&foreign, 100, 500), None);
    }

    #[test]
    fn one_that_is_out_is_not_asked_and_one_that_is_unknown_is() {
        let mut out = known(500);
        out.out_since = Some(Instant::now());
        assert_eq!(rank_of(&out, 0, 500), None);
        assert_eq!(rank_of(&Known::default(), 100, 500), Some(Rank::Unknown));
    }

    #[test]
    fn the_healthiest_comes_first_then_the_idlest_then_everybody_in_turn() {
        let pick = |candidates: &[(Rank, usize, char)], turn| {
            best(candidates.iter().copied(), turn).unwrap()
        };
        let ailing = (Rank::Ailing, 0, 'a');
        assert_eq!(pick(&[ailing, (Rank::Fit, 9, 'b')], 0), 'b');
        assert_eq!(pick(&[(Rank::Fit, 2, 'a'), (Rank::Fit, 1, 'b')], 0), 'b');
        let equals = [
            (Rank::Fit, 0, 'a'),
            (Rank::Fit, 0, 'b'),
            (Rank::Fit, 0, 'c'),
        ];
        let turns: String = (0..4).map(|turn| pick(&equals, turn)).collect();
        assert_eq!(turns, "abca");
        assert_eq!(best::<char>([], 3), None);
    }
}
