//! Holds what the clients saw and what the log holds against the model. Everything that is wrong is
//! said in a sentence.

use std::collections::BTreeMap;

use fido_commands::{Committed, Placed};
use fido_domain::conversation::ConversationEvent;
use fido_domain::{Position, Recorded};
use uuid::Uuid;

use super::history::{Entry, Outcome};
use super::order::Order;
use super::world::{Verdict, World, without_content};

/// All there is to know about one case.
#[derive(Clone)]
pub(super) struct Evidence {
    /// Nothing but cuts went wrong.
    pub(super) calm: bool,
    /// The event before the first of the case; none when the log was empty.
    pub(super) previous: Option<Recorded>,
    /// The log's head before the case.
    pub(super) before: Position,
    /// The log's head now.
    pub(super) head: Position,
    /// The log after `before`.
    pub(super) log: Vec<Recorded>,
    /// The case's rows of `streams`: id, last sequence, first and last position.
    pub(super) streams: BTreeMap<Uuid, (i64, Position, Position)>,
    /// The case's rows of `claims`.
    pub(super) claims: BTreeMap<(String, Vec<u8>), Uuid>,
    /// The case's rows of `receipts`: first and last position.
    pub(super) receipts: BTreeMap<Vec<u8>, (Position, Position)>,
    pub(super) entries: Vec<Entry>,
}

/// The events of one command, as they stand in the log.
struct Group<'a> {
    /// Which entry asked for them.
    entry: usize,
    order: &'a Order,
    events: &'a [Recorded],
}

/// The log as the model sees it.
struct Replay<'a> {
    groups: Vec<Group<'a>>,
    /// `worlds[n]` is after the first `n` groups.
    worlds: Vec<World>,
}

/// What is wrong with the case; nothing, it is to be hoped.
pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    positions(evidence, &mut wrong);
    sequences(evidence, &mut wrong);
    let replay = replay(evidence, &mut wrong);
    order_in_time(evidence, &replay, &mut wrong);
    for (number, entry) in evidence.entries.iter().enumerate() {
        if let Err(what) = outcome(evidence, &replay, number, entry) {
            wrong.push(format!("command {number} ({}): {what}", entry.outcome));
        }
    }
    rows(evidence, &replay, &mut wrong);
    wrong
}

/// Positions are dense, and time never goes back along them.
fn positions(evidence: &Evidence, wrong: &mut Vec<String>) {
    let expected = evidence.before + 1..=evidence.head;
    let found: Vec<_> = evidence.log.iter().map(|event| event.position).collect();
    if !expected.clone().eq(found.iter().copied()) {
        wrong.push(format!("expected positions {expected:?}, found {found:?}"));
    }
    let times = evidence.previous.iter().chain(&evidence.log);
    let times: Vec<_> = times.map(|event| event.recorded_at).collect();
    if !times.is_sorted() {
        wrong.push(format!(
            "expected times that never go back, found {times:?}"
        ));
    }
}

/// Each stream counts its events from 1.
fn sequences(evidence: &Evidence, wrong: &mut Vec<String>) {
    let mut last: BTreeMap<Uuid, i64> = BTreeMap::new();
    for event in &evidence.log {
        let last = last.entry(event.aggregate_id).or_default();
        if event.sequence != *last + 1 {
            wrong.push(format!(
                "position {}: expected sequence {}, found {}",
                event.position,
                *last + 1,
                event.sequence
            ));
        }
        *last = event.sequence;
    }
}

/// Tells the log to the model: each command is one that somebody gave, is there once, and its events
/// are what the model decides at that moment.
fn replay<'a>(evidence: &'a Evidence, wrong: &mut Vec<String>) -> Replay<'a> {
    let mut replay = Replay {
        groups: Vec::new(),
        worlds: vec![World::default()],
    };
    let command_id = |event: &Recorded| event.metadata().unwrap().command_id;
    for events in evidence
        .log
        .chunk_by(|one, next| command_id(one) == command_id(next))
    {
        let first = events[0].position;
        let id = command_id(&events[0]);
        let asked = |entry: &Entry| entry.order.context.command_id == id;
        let Some(entry) = evidence.entries.iter().position(asked) else {
            wrong.push(format!("position {first}: nobody gave the command {id}"));
            continue;
        };
        if replay.groups.iter().any(|group| group.entry == entry) {
            wrong.push(format!("position {first}: command {entry} is there twice"));
        }
        let order = &evidence.entries[entry].order;
        let mut world = replay.worlds.last().expect("one at least").clone();
        let stored = events.iter().map(|event| event.event().unwrap());
        let stored: Vec<_> = stored.map(without_content).collect();
        let expected = match world.decide(order) {
            Verdict::Events(events) => {
                Verdict::Events(events.into_iter().map(without_content).collect())
            }
            no @ (Verdict::Refused(_)
            | Verdict::ClaimTaken(_)
            | Verdict::Replayed(_)
            | Verdict::KeyReused) => no,
        };
        if expected != Verdict::Events(stored.clone()) {
            wrong.push(format!(
                "position {first}: command {entry}: expected {expected:?}, found {stored:?}"
            ));
        }
        if !events.iter().all(|event| {
            event.aggregate_id == order.stream
                && event.metadata().unwrap().subject == order.context.subject
        }) {
            wrong.push(format!(
                "position {first}: command {entry} was not for this stream or subject"
            ));
        }
        world.record(order, &stored, first);
        replay.groups.push(Group {
            entry,
            order,
            events,
        });
        replay.worlds.push(world);
    }
    replay
}

/// What was acknowledged before another command was given stands before it.
fn order_in_time(evidence: &Evidence, replay: &Replay<'_>, wrong: &mut Vec<String>) {
    let entries = &evidence.entries;
    for (n, earlier) in replay.groups.iter().enumerate() {
        for later in &replay.groups[n + 1..] {
            let acknowledged = matches!(entries[later.entry].outcome, Outcome::Acknowledged(_));
            if acknowledged && entries[later.entry].ended < entries[earlier.entry].began {
                wrong.push(format!(
                    "command {} stands before {}, which was done before it was given",
                    earlier.entry, later.entry
                ));
            }
        }
    }
}

/// What the client was told is so.
fn outcome(
    evidence: &Evidence,
    replay: &Replay<'_>,
    number: usize,
    entry: &Entry,
) -> Result<(), String> {
    let place = replay.groups.iter().position(|group| group.entry == number);
    let order = &entry.order;
    match &entry.outcome {
        Outcome::NotDone(_) if evidence.calm => {
            Err("expected an answer, as nothing but cuts went wrong".to_owned())
        }
        Outcome::Broken(_) => Err("nothing is broken".to_owned()),
        // There once or not at all; that it is not there twice, the replay has seen.
        Outcome::Abandoned => Ok(()),
        Outcome::Acknowledged(committed) if committed.replayed => {
            replayed(evidence, replay, entry, committed)
        }
        Outcome::Acknowledged(committed) if !committed.events.is_empty() => match place {
            Some(place) => done(replay, place, committed),
            None => Err("it is not in the log".to_owned()),
        },
        Outcome::Acknowledged(_)
        | Outcome::Refused(_)
        | Outcome::ClaimTaken(_)
        | Outcome::KeyReused
        | Outcome::NotDone(_)
            if place.is_some() =>
        {
            Err(format!(
                "expected nothing in the log, found it at {place:?}"
            ))
        }
        Outcome::NotDone(_) => Ok(()),
        // Nothing was to be done. The position may be a later one of the stream: whoever waits for it
        // sees at least what the answer was about.
        Outcome::Acknowledged(committed) => justified(evidence, replay, entry, |world| {
            let last = world.stream(order.stream).last;
            world.decide(order) == Verdict::Events(Vec::new())
                && (last..=evidence.head).contains(&committed.position)
        }),
        Outcome::Refused(refusal) => justified(evidence, replay, entry, |world| {
            world.decide(order) == Verdict::Refused(refusal.clone())
        }),
        Outcome::ClaimTaken(kind) => justified(evidence, replay, entry, |world| {
            world.decide(order) == Verdict::ClaimTaken(kind.clone())
        }),
        Outcome::KeyReused if changed_nothing(evidence, order) => Ok(()),
        Outcome::KeyReused => justified(evidence, replay, entry, |world| {
            world.decide(order) == Verdict::KeyReused
        }),
    }
}

/// The events that the client was given are the ones in the log at `place`, and what the model
/// decides there.
fn done(
    replay: &Replay<'_>,
    place: usize,
    committed: &Committed<ConversationEvent>,
) -> Result<(), String> {
    let group = &replay.groups[place];
    let stored: Vec<_> = group.events.iter().map(Placed::of).collect();
    let told: Vec<_> = committed.events.iter().map(|(_, placed)| *placed).collect();
    if told != stored {
        return Err(format!("expected {stored:?}, was told {told:?}"));
    }
    let events = committed.events.iter().map(|(event, _)| event.clone());
    let events = Verdict::Events(events.collect());
    let expected = replay.worlds[place].decide(group.order);
    if events != expected {
        return Err(format!("expected {expected:?}, was told {events:?}"));
    }
    let last = stored.last().map(|last| last.position);
    if Some(committed.position) != last {
        return Err(format!("expected position {last:?}"));
    }
    Ok(())
}

/// The request with this key was done before, and the answer is the one it had then.
fn replayed(
    evidence: &Evidence,
    replay: &Replay<'_>,
    entry: &Entry,
    committed: &Committed<ConversationEvent>,
) -> Result<(), String> {
    let order = &entry.order;
    if committed.events.is_empty() {
        let key = order.key().map_or(&[][..], |(key, _)| key);
        let row = evidence.receipts.get(key);
        let expected = (committed.position + 1, committed.position);
        return if row == Some(&expected) && changed_nothing(evidence, order) {
            Ok(())
        } else {
            Err(format!("expected the receipt {expected:?}, found {row:?}"))
        };
    }
    justified(
        evidence,
        replay,
        entry,
        |world| matches!(world.decide(order), Verdict::Replayed(done) if done.last == committed.position),
    )?;
    let place = replay.groups.iter().position(|group| {
        group.order.key() == order.key()
            && group.events.last().map(|last| last.position) == Some(committed.position)
    });
    match place {
        Some(place) => done(replay, place, committed),
        None => Err("expected a command with the same key in the log".to_owned()),
    }
}

/// Whether a request with this key may have been done without any event: then the log does not show
/// when, but its receipt is there, and says nothing was changed.
fn changed_nothing(evidence: &Evidence, order: &Order) -> bool {
    let Some((key, _)) = order.key() else {
        return false;
    };
    let row = evidence.receipts.get(key);
    row.is_some_and(|(first, last)| *first == last + 1)
}

/// The answer was true at some moment between the question and the answer. What was acknowledged
/// before the question counts as known; what was asked after the answer does not.
fn justified(
    evidence: &Evidence,
    replay: &Replay<'_>,
    entry: &Entry,
    is_so: impl Fn(&World) -> bool,
) -> Result<(), String> {
    let known = |group: &Group<'_>| {
        let other = &evidence.entries[group.entry];
        matches!(other.outcome, Outcome::Acknowledged(_)) && other.ended < entry.began
    };
    let unknowable = |group: &Group<'_>| evidence.entries[group.entry].began > entry.ended;
    let from = replay.groups.iter().rposition(known).map_or(0, |n| n + 1);
    let to = replay.groups.iter().position(unknowable);
    let to = to.unwrap_or(replay.groups.len()).max(from);
    if replay.worlds[from..=to].iter().any(is_so) {
        return Ok(());
    }
    let answers: Vec<_> = replay.worlds[from..=to]
        .iter()
        .map(|world| {
            let stream = world.stream(entry.order.stream);
            let decided = world.decide(&entry.order);
            format!("{decided:?} at sequence {}", stream.sequence)
        })
        .collect();
    Err(format!("expected one of {answers:?}"))
}

/// The tables beside the log say the same as the log.
fn rows(evidence: &Evidence, replay: &Replay<'_>, wrong: &mut Vec<String>) {
    let world = replay.worlds.last().expect("one at least");
    let streams: BTreeMap<_, _> = world
        .streams
        .iter()
        .map(|(id, stream)| (*id, (stream.sequence, stream.first, stream.last)))
        .collect();
    if evidence.streams != streams {
        wrong.push(format!(
            "expected the rows {streams:?} in streams, found {:?}",
            evidence.streams
        ));
    }
    if evidence.claims != world.claims {
        wrong.push(format!(
            "expected the rows {:?} in claims, found {:?}",
            world.claims, evidence.claims
        ));
    }
    for (key, done) in &world.receipts {
        let row = evidence.receipts.get(key);
        if row != Some(&(done.first, done.last)) {
            wrong.push(format!(
                "expected the row {done:?} in receipts, found {row:?}"
            ));
        }
    }
    for (key, (first, last)) in &evidence.receipts {
        if !world.receipts.contains_key(key) && *first != last + 1 {
            wrong.push(format!(
                "nothing explains the row {first}, {last} in receipts"
            ));
        }
    }
}
