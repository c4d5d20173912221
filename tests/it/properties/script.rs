//! What is to happen in one case, all of it decided by a seed: who asks what of which stream, where
//! the line is cut, what else goes wrong.

use std::time::Duration;

use fastrand::Rng;

use super::order::{Ask, Cast, Order};
use crate::cut::Fault;

/// One case in so many restarts the server.
pub(super) const RESTART_EVERY: u64 = 50;

/// One case.
pub(super) struct Script {
    pub(super) processes: usize,
    /// What begins the streams; given first, all at once.
    pub(super) openings: Vec<Order>,
    /// Each client asks one thing after the other, while the others do so too.
    pub(super) clients: Vec<Vec<Order>>,
    /// The faults of each process's line, each with the number of calls that pass before it.
    pub(super) faults: Vec<Vec<(u32, Fault)>>,
    /// What else goes wrong, each once so many commands have had their answer; ascending.
    pub(super) troubles: Vec<(usize, Trouble)>,
    cast: Cast,
}

/// What can go wrong besides cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server is killed and started again.
    ServerRestarts,
    /// A process is killed and started again.
    ProcessDies(usize),
    /// A process cannot reach the server for a while.
    LineIsDown(usize, Duration),
}

impl Script {
    /// The script of the case `seed`. Ids are new each time, so that a case can be repeated on the
    /// same log; everything else follows from the seed.
    pub(super) fn write(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let processes = rng.usize(2..=3);
        let shared = rng.usize(1..=3);
        let mut cast = Cast::new(shared, processes);
        let openings = openings(&mut rng, &cast, shared, processes);
        let mut clients = clients(&mut rng, &cast, shared, processes);
        let each = clients.len() / processes;
        begin_twice(&mut rng, &mut cast, &mut clients, each);
        duel(&mut rng, &mut cast, &mut clients, each);
        let commands = openings.len() + clients.iter().map(Vec::len).sum::<usize>();
        Self {
            processes,
            openings,
            clients,
            faults: faults(&mut rng, processes),
            troubles: troubles(&mut rng, processes, commands, seed),
            cast,
        }
    }

    /// Whether nothing but cuts goes wrong: then no command may be left without an answer.
    pub(super) fn is_calm(&self) -> bool {
        self.troubles.is_empty()
    }

    /// A command that begins a stream of its own, to follow all others of `process`.
    pub(super) fn last_order(&mut self, process: usize) -> Order {
        let stream = self.cast.add("last");
        let mut any = Rng::with_seed(0);
        self.cast.order(&mut any, process, stream, Ask::Start, 0)
    }

    pub(super) fn cast(&self) -> &Cast {
        &self.cast
    }
}

/// Every process begins a stream of its own, and all of them vie for the shared ones.
fn openings(rng: &mut Rng, cast: &Cast, shared: usize, processes: usize) -> Vec<Order> {
    let mut openings = Vec::new();
    for process in 0..processes {
        openings.push(cast.order(rng, process, shared + process, Ask::Start, 0));
        openings.extend((0..shared).map(|s| cast.order(rng, process, s, Ask::Start, 0)));
    }
    openings
}

fn clients(rng: &mut Rng, cast: &Cast, shared: usize, processes: usize) -> Vec<Vec<Order>> {
    let each = rng.usize(2..=4);
    let mut clients = vec![Vec::new(); processes * each];
    let commands = rng.usize(12..=28);
    let mut given = 0;
    while given < commands {
        let client = rng.usize(..clients.len());
        let process = client / each;
        let stream = match rng.u32(..20) {
            0..11 => rng.usize(..shared),
            11..19 => shared + process,
            _ => rng.usize(..shared + processes),
        };
        let reply = rng.usize(..Cast::REPLIES);
        // Half of the time the whole of a reply in its order, else anything.
        let asks = if rng.bool() {
            vec![Ask::Post, Ask::Begin, Ask::end(rng)]
        } else {
            vec![Ask::any(rng)]
        };
        for ask in asks {
            let mut order = cast.order(rng, process, stream, ask, reply);
            if ask.may_claim() && rng.u32(..3) == 0 {
                cast.add_claims(rng, &mut order);
            }
            if rng.u32(..8) == 0 {
                order.add_key();
                let other = rng.usize(..clients.len());
                let another = rng.u32(..8) == 0;
                clients[other].push(order.again(other / each, another));
            }
            if rng.u32(..25) == 0 {
                order.lose_patience_after(Duration::from_micros(rng.u64(..5_000)));
            }
            clients[client].push(order);
            given += 1;
        }
    }
    clients
}

/// A request with a key that begins a stream is sent twice, each time with a new stream's id: then
/// nothing but the receipt keeps it from being done twice.
fn begin_twice(rng: &mut Rng, cast: &mut Cast, clients: &mut [Vec<Order>], each: usize) {
    let (one, other) = (cast.add("new"), cast.add("new, again"));
    let client = rng.usize(..clients.len());
    let mut order = cast.order(rng, client / each, one, Ask::Start, 0);
    order.add_key();
    let again = rng.usize(..clients.len());
    let mut twin = order.again(again / each, false);
    twin.stream = cast.id(other);
    clients[client].push(order);
    clients[again].insert(0, twin);
}

/// Two streams want the same claim, and the first gives it back soon. When the refused one's first
/// try is still on its way then, it must not be done after all.
fn duel(rng: &mut Rng, cast: &mut Cast, clients: &mut [Vec<Order>], each: usize) {
    let (holds, wants) = (cast.add("duel 0"), cast.add("duel 1"));
    let (one, other) = (rng.usize(..clients.len()), rng.usize(..clients.len()));
    let mut take = cast.order(rng, one / each, holds, Ask::Start, 0);
    cast.add_claim(&mut take, Cast::DUEL, true);
    let mut give_back = cast.order(rng, one / each, holds, Ask::Post, 0);
    cast.add_claim(&mut give_back, Cast::DUEL, false);
    let mut want = cast.order(rng, other / each, wants, Ask::Start, 0);
    cast.add_claim(&mut want, Cast::DUEL, true);
    clients[one].extend([take, give_back]);
    clients[other].push(want);
}

fn faults(rng: &mut Rng, processes: usize) -> Vec<Vec<(u32, Fault)>> {
    let one = |rng: &mut Rng| match rng.u32(..6) {
        0 => Fault::Before,
        1 => Fault::Uncommitted,
        2 => Fault::During,
        3 => Fault::After,
        _ => Fault::Late {
            answers: rng.u32(..6) * rng.u32(..3),
        },
    };
    // The first call of one process is cut for certain; at most three tries of a call fail in a row.
    let certain = rng.usize(..processes);
    let mut of = |process| {
        (0..rng.u32(1..=3))
            .map(|n| {
                let at_once = n == 0 && process == certain;
                (if at_once { 0 } else { rng.u32(..5) }, one(rng))
            })
            .collect()
    };
    (0..processes).map(&mut of).collect()
}

fn troubles(rng: &mut Rng, processes: usize, commands: usize, seed: u64) -> Vec<(usize, Trouble)> {
    let mut troubles = Vec::new();
    if seed.is_multiple_of(RESTART_EVERY) {
        troubles.push((rng.usize(..commands), Trouble::ServerRestarts));
    }
    if rng.u32(..10) == 0 {
        let process = rng.usize(..processes);
        troubles.push((rng.usize(..commands), Trouble::ProcessDies(process)));
    }
    if rng.u32(..20) == 0 {
        let process = rng.usize(..processes);
        let pause = Duration::from_millis(rng.u64(20..200));
        troubles.push((rng.usize(..commands), Trouble::LineIsDown(process, pause)));
    }
    troubles.sort_by_key(|(finished, _)| *finished);
    troubles
}
