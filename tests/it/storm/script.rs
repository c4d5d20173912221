//! What is to go wrong in one storm, and when, all of it decided by a seed.

use fastrand::Rng;

/// Replicas, each with a projector.
pub(super) const REPLICAS: usize = 3;

/// What can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The projector of this replica, counted from 0.
    Projector(usize),
    Relay,
    Broker,
}

/// Something that goes wrong: a part is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) part: Part,
    /// Only of the broker: everything that it has stored is gone too.
    pub(super) wipes: bool,
}

/// How long the part stays away, and what is waited for afterwards. Counted in commands that are done
/// meanwhile, since they go on whatever is killed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    /// It comes back after so many commands, and after so many more the next fault strikes.
    GoesOn { away: usize, pause: usize },
    /// It comes back after so many commands, and everything recovers before the next fault strikes.
    Recovers { away: usize },
    /// It comes back when the next part has been killed.
    Overlaps,
}

/// One fault and what follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) fault: Fault,
    pub(super) then: Then,
}

/// A storm of `kills` kills, and `wipes` more of the broker in which its store is wiped. Every part is
/// killed about as often as any other.
pub(super) fn write(rng: &mut Rng, kills: usize, wipes: usize) -> Vec<Step> {
    let parts = (0..REPLICAS).map(Part::Projector);
    let mut parts: Vec<Part> = parts.chain([Part::Relay, Part::Broker]).collect();
    rng.shuffle(&mut parts);
    let kill = |part| Fault { part, wipes: false };
    let mut faults: Vec<Fault> = parts.into_iter().cycle().take(kills).map(kill).collect();
    let wipe = Fault {
        part: Part::Broker,
        wipes: true,
    };
    faults.extend(std::iter::repeat_n(wipe, wipes));
    rng.shuffle(&mut faults);
    let step = |fault| Step {
        fault,
        then: then(rng),
    };
    faults.into_iter().map(step).collect()
}

fn then(rng: &mut Rng) -> Then {
    // Half of the time it is back before anybody has noticed.
    let away = rng.usize(0..=1) * rng.usize(..400);
    match rng.u32(..10) {
        0..4 => Then::GoesOn {
            away,
            pause: rng.usize(..400),
        },
        4..7 => Then::Recovers { away },
        _ => Then::Overlaps,
    }
}
