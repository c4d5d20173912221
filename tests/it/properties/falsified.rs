//! The checker is no pushover: evidence of a good case, falsified in one place, never passes.

use std::sync::Arc;

use fido_commands::conversation::ConversationRefusal;

use super::case;
use super::check::{Evidence, check};
use super::history::Outcome;
use super::lane::{Lane, Server};
use super::script::Script;
use crate::ground::new_cluster;

/// One way to falsify evidence, and a part of what the checker must say.
type Falsified = (&'static str, fn(&mut Evidence));

const FALSIFIED: [Falsified; 14] = [
    ("it is not in the log", |evidence| {
        evidence.log.pop();
        evidence.head -= 1;
    }),
    ("is there twice", |evidence| {
        let mut again = evidence.log[0].clone();
        evidence.head += 1;
        again.position = evidence.head;
        again.sequence = evidence.streams[&again.aggregate_id].0 + 1;
        evidence.log.push(again);
    }),
    ("nobody gave the command", |evidence| {
        evidence.entries.remove(acknowledged(evidence));
    }),
    ("expected positions", |evidence| {
        evidence.log.last_mut().unwrap().position += 1;
        evidence.head += 1;
    }),
    ("expected times that never go back", |evidence| {
        let first = evidence.log[0].recorded_at;
        evidence.log.last_mut().unwrap().recorded_at = first - std::time::Duration::from_secs(1);
    }),
    ("expected sequence", |evidence| {
        evidence.log.last_mut().unwrap().sequence += 1;
    }),
    ("was not for this stream", |evidence| {
        let other = evidence.log[0].aggregate_id;
        evidence.log.last_mut().unwrap().aggregate_id = other;
    }),
    ("expected nothing in the log", |evidence| {
        let done = acknowledged(evidence);
        evidence.entries[done].outcome = Outcome::ClaimTaken("name".to_owned());
    }),
    ("expected one of", |evidence| {
        let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
        let refused = evidence.entries.iter().position(|e| refused(&e.outcome));
        evidence.entries[refused.unwrap()].outcome =
            Outcome::Refused(ConversationRefusal::Superseded {
                attempt: 7,
                current: 8,
            });
    }),
    ("expected position", |evidence| {
        let done = acknowledged(evidence);
        if let Outcome::Acknowledged(committed) = &mut evidence.entries[done].outcome {
            committed.position += 1;
        }
    }),
    ("nothing but cuts went wrong", |evidence| {
        let done = acknowledged(evidence);
        evidence.entries[done].outcome = Outcome::NotDone("gone".to_owned());
    }),
    ("which was done before it was given", |evidence| {
        let first = evidence.log[0].metadata().unwrap().command_id;
        for entry in &mut evidence.entries {
            if entry.order.context.command_id == first {
                (entry.began, entry.ended) = (u64::MAX - 1, u64::MAX);
            }
        }
    }),
    ("in claims", |evidence| {
        let id = evidence.log[0].aggregate_id;
        evidence.claims.insert(("name".to_owned(), vec![7]), id);
    }),
    ("in receipts", |evidence| {
        evidence.receipts.insert(vec![7], (1, 1));
    }),
];

/// A command that was done and changed something.
fn acknowledged(evidence: &Evidence) -> usize {
    let done = |outcome: &Outcome| match outcome {
        Outcome::Acknowledged(committed) => !committed.events.is_empty() && !committed.replayed,
        Outcome::Refused(_)
        | Outcome::ClaimTaken(_)
        | Outcome::KeyReused
        | Outcome::NotDone(_)
        | Outcome::Broken(_)
        | Outcome::Abandoned => false,
    };
    let entries = &evidence.entries;
    entries.iter().position(|e| done(&e.outcome)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_falsified_evidence_passes() {
    let lane = Lane::start(Server::new(new_cluster().await.into())).await;
    let calm = (1..).find(|seed| Script::write(*seed).is_calm()).unwrap();
    let (evidence, ..) = case::play(Arc::new(lane), calm).await.unwrap();
    assert_eq!(check(&evidence), [""; 0]);
    for (expected, falsify) in FALSIFIED {
        let mut falsified = evidence.clone();
        falsify(&mut falsified);
        let wrong = check(&falsified);
        assert!(
            wrong.iter().any(|wrong| wrong.contains(expected)),
            "expected \"{expected}\", found {wrong:?}"
        );
    }
}
