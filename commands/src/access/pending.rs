//! What is still to be told: single things in order, and refusals summed up until their second is over.

use std::collections::HashMap;

use fido_domain::access::{AccessEvent, Denial, NetworkAddress, StrangerRefusal};
use fido_domain::{Actor, Private};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::Origin;

/// Single things that may wait. More come only while the log cannot be written.
const MOST_SINGLE: usize = 10_000;
/// Sums that may be kept at a time, each of one account, address and refusal.
const MOST_SUMS: usize = 2_048;
/// Addresses of strangers that are told apart at a time.
const MOST_STRANGERS: usize = 256;

/// A refusal of somebody whose account is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// They were not let in.
    SignIn(Denial),
    /// They lack the role; what for: method and route.
    Forbidden(String),
    /// A change of theirs was refused.
    Command {
        /// What for: method and route.
        request: String,
        /// The name of the problem in the answer.
        problem: String,
    },
}

/// Something that is told on its own.
#[derive(Debug, Clone)]
pub(super) struct Single {
    pub(super) account: Uuid,
    pub(super) actor: Actor,
    pub(super) event: AccessEvent,
    pub(super) origin: Origin,
    pub(super) at: OffsetDateTime,
}

/// Whom and what a sum is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum About {
    Account {
        account: Uuid,
        address: Option<String>,
        refusal: Refusal,
    },
    Stranger {
        address: Option<String>,
        refusal: StrangerRefusal,
    },
}

/// How often, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: u32,
    pub(super) since: OffsetDateTime,
}

/// Everything that is still to be told.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) single: Vec<Single>,
    pub(super) sums: HashMap<About, Sum>,
    strangers: usize,
    /// What there was no room for.
    pub(super) lost: u64,
}

impl Pending {
    pub(super) fn tell(&mut self, single: Single) {
        if self.single.len() < MOST_SINGLE {
            self.single.push(single);
        } else {
            self.lost += 1;
        }
    }

    pub(super) fn add(&mut self, about: About, sum: Sum) {
        let about = self.placed(about);
        if let Some(known) = self.sums.get_mut(&about) {
            known.count = known.count.saturating_add(sum.count);
            known.since = known.since.min(sum.since);
            return;
        }
        // Strangers beyond those that are told apart share a sum, for which there is always room.
        let shares = matches!(&about, About::Stranger { address: None, .. });
        if self.sums.len() >= MOST_SUMS && !shares {
            self.lost += u64::from(sum.count);
            return;
        }
        self.strangers += usize::from(matches!(about, About::Stranger { .. }));
        self.sums.insert(about, sum);
    }

    /// Takes the sums out.
    pub(super) fn take_sums(&mut self) -> HashMap<About, Sum> {
        self.strangers = 0;
        std::mem::take(&mut self.sums)
    }

    /// A stranger too many is one of many.
    fn placed(&self, about: About) -> About {
        let is_known = self.sums.contains_key(&about);
        match about {
            About::Stranger { refusal, .. } if !is_known && self.strangers >= MOST_STRANGERS => {
                About::Stranger {
                    address: None,
                    refusal,
                }
            }
            about @ (About::Stranger { .. } | About::Account { .. }) => about,
        }
    }
}

impl About {
    /// What the log is told.
    pub(super) fn event(&self, count: u32) -> AccessEvent {
        match self {
            Self::Account { refusal, .. } => match refusal.clone() {
                Refusal::SignIn(reason) => AccessEvent::SignInDenied { reason, count },
                Refusal::Forbidden(request) => AccessEvent::AccessForbidden { request, count },
                Refusal::Command { request, problem } => AccessEvent::CommandRefused {
                    request,
                    problem,
                    count,
                },
            },
            Self::Stranger { address, refusal } => {
                let address = address.as_deref().map(NetworkAddress::parse);
                AccessEvent::StrangersRefused {
                    refusal: *refusal,
                    count,
                    address: address.and_then(Result::ok).map(Private::new),
                }
            }
        }
    }

    /// Who did it: whoever is refused at the door is not known to be the account's owner.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Account {
                refusal: Refusal::SignIn(_),
                ..
            }
            | Self::Stranger { .. } => Actor::system("access"),
            Self::Account { account, .. } => Actor::user(*account),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(n: usize) -> About {
        About::Stranger {
            address: Some(format!("192.0.2.{n}")),
            refusal: StrangerRefusal::UnknownAccount,
        }
    }

    fn once() -> Sum {
        Sum {
            count: 1,
            since: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_same_refusal_is_counted_and_another_stands_beside_it() {
        let mut pending = Pending::default();
        for n in [1, 1, 2] {
            pending.add(stranger(n), once());
        }
        assert_eq!(pending.sums[&stranger(1)].count, 2);
        assert_eq!(pending.sums[&stranger(2)].count, 1);
    }

    #[test]
    fn a_crowd_of_strangers_shares_one_sum() {
        let mut pending = Pending::default();
        for n in 0..MOST_STRANGERS + 100 {
            pending.add(stranger(n), once());
        }
        let many = About::Stranger {
            address: None,
            refusal: StrangerRefusal::UnknownAccount,
        };
        assert_eq!(pending.sums[&many].count, 100);
        assert_eq!((pending.sums.len(), pending.lost), (MOST_STRANGERS + 1, 0));
        pending.add(stranger(0), once());
        assert_eq!(pending.sums[&stranger(0)].count, 2, "one of the first");
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut pending = Pending::default();
        for n in 0..MOST_SUMS + 7 {
            let about = About::Account {
                account: Uuid::from_u128(n as u128),
                address: None,
                refusal: Refusal::SignIn(Denial::WrongPassword),
            };
            pending.add(about, once());
        }
        assert_eq!((pending.sums.len(), pending.lost), (MOST_SUMS, 7));
    }
}
