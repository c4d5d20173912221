//! What a few people left in a log, as a pattern to copy: every event with its ids cut out.

use anyhow::{Context, Result};
use fido_commands::EventStore;
use fido_commands::log::Log;
use fido_domain::Recorded;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Person;
use crate::bench::server::Server;
use crate::bench::store::{close_store, open_store};

/// How many people act, at once: their events are mixed as they would be.
const PEOPLE: usize = 10;
/// Chapters of a life, by the person's number.
const CHAPTERS: [usize; 3] = [1, 2, 3];
/// Events that are read at a time.
const PAGE: i64 = 1_000;
/// The length of an id in text.
const ID: usize = 36;

/// Real events of a few people, ready to be copied under other ids.
#[derive(Debug)]
pub(crate) struct Cast {
    /// In the order in which they were recorded.
    pub(super) events: Vec<Pattern>,
}

/// One event without its ids.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Whose stream it is in.
    pub(super) aggregate_type: String,
    pub(super) aggregate_id: Uuid,
    pub(super) sequence: i64,
    pub(super) event_type: String,
    pub(super) event_version: String,
    pub(super) payload: Cut,
    pub(super) metadata: Cut,
}

/// A text with ids in it: each piece is followed by an id, save the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) pieces: Vec<(String, Uuid)>,
    pub(super) last: String,
}

impl Cast {
    /// Lets a few people live in a log of their own, which is dropped again.
    ///
    /// # Errors
    /// When the server cannot be reached or a command fails.
    pub(crate) async fn perform(server: &mut Server) -> Result<Self> {
        let stage = server.make_database("cast").await?;
        let store = open_store(&stage.app_url()).await?;
        let mut people = JoinSet::new();
        for number in 0..PEOPLE {
            people.spawn(live(store.clone(), number));
        }
        while let Some(lived) = people.join_next().await {
            lived.context("a person broke off")??;
        }
        let cast = Self::of_log(&Log::new(store.pool().clone())).await?;
        close_store(store).await;
        server.drop_database(stage).await?;
        Ok(cast)
    }

    async fn of_log(log: &Log) -> Result<Self> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let page = log.after(after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(Self { events });
            };
            after = last.position;
            events.extend(page.iter().map(Pattern::of));
        }
    }

    /// How many events there are to copy.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }
}

async fn live(store: EventStore, number: usize) -> Result<()> {
    let mut person = Person::new(number);
    while !person.has_lived(CHAPTERS[number % CHAPTERS.len()]) {
        person.act(&store).await?;
    }
    Ok(())
}

impl Pattern {
    fn of(event: &Recorded) -> Self {
        Self {
            aggregate_type: event.aggregate_type.clone(),
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
            event_type: event.event_type.clone(),
            event_version: event.event_version.clone(),
            payload: Cut::of(event.payload.get()),
            metadata: Cut::of(event.metadata.get()),
        }
    }
}

impl Cut {
    fn of(text: &str) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), text);
        let mut from = 0;
        while let Some(candidate) = rest.get(from..from + ID) {
            match id(candidate) {
                Some(id) => {
                    let (piece, behind) = rest.split_at(from);
                    pieces.push((piece.to_owned(), id));
                    rest = behind.get(ID..).unwrap_or_default();
                    from = 0;
                }
                None => from += 1,
            }
        }
        let last = rest.to_owned();
        Self { pieces, last }
    }
}

/// The id that `text` is, if it is one as ids are stored.
fn id(text: &str) -> Option<Uuid> {
    // Quick for nearly every place in a text.
    if text.as_bytes().get(8) != Some(&b'-') {
        return None;
    }
    Uuid::try_parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_cut_out_wherever_they_are() {
        let (a, b) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let cut = Cut::of(&format!(r#"{{"a":"{a}","b":["{b}"],"c":"x-y"}}"#));
        let expected = Cut {
            pieces: vec![(r#"{"a":""#.to_owned(), a), (r#"","b":[""#.to_owned(), b)],
            last: r#""],"c":"x-y"}"#.to_owned(),
        };
        assert_eq!(cut, expected);
        assert_eq!(Cut::of("").last, "");
    }
}
