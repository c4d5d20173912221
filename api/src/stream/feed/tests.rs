//! What a client is told, and in which order.

use axum::response::IntoResponse;
use axum::response::sse::Sse;
use fido_nats::live::LiveEvent;
use http_body_util::BodyExt;

use super::super::board::{Board, Joined};
use super::super::testing::{account, event};
use super::*;
use fido_domain::Epochs;

fn board() -> Board<()> {
    let mut board = Board::new();
    board.begin(Epochs::first(Uuid::nil()), 100, 8);
    board
}

fn join(board: &mut Board<()>, after: Option<Position>) -> Joined {
    board.join(account(1), after, || ()).unwrap().0
}

fn happen(board: &mut Board<()>, position: Position) {
    board.publish(Some(account(1)), Arc::new(event(position)));
}

fn token(conversation: Uuid) -> Push {
    Push::Live(Arc::new(LiveEvent::Restarted {
        conversation_id: conversation,
        reply_id: account(9),
        attempt: 2,
    }))
}

/// Nothing is sealed in these events.
struct AsStored;

impl Open for AsStored {
    async fn shown(&self, event: &Recorded) -> Result<Box<RawValue>, VaultError> {
        Ok(event.payload.clone())
    }
}

/// The names of all frames, with their ids.
async fn told(feed: Feed) -> Vec<String> {
    let response = Sse::new(feed.into_stream(AsStored)).into_response();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&bytes)
        .split("\n\n")
        .filter_map(|frame| {
            let field = |name| frame.lines().find_map(|line| line.strip_prefix(name));
            let id = field("id: ").map_or_else(String::new, |id| format!(" {id}"));
            Some(format!("{}{id}", field("event: ")?))
        })
        .collect()
}

#[tokio::test]
async fn ring_then_live_then_goodbye() {
    let mut board = board();
    (101..=103).for_each(|position| happen(&mut board, position));
    let joined = join(&mut board, Some(101));
    happen(&mut board, 104);
    board.tell(account(1), &token(account(5)));
    board.stop(Farewell::Shutdown);
    let mut feed = Feed::new([frame::hello(103)], 101, joined.inbox, None);
    feed.missed = joined.missed.into();
    assert_eq!(
        told(feed).await,
        [
            "hello",
            "conversation.message_posted 102",
            "conversation.message_posted 103",
            "conversation.message_posted 104",
            "reply.restarted",
            "goodbye",
        ]
    );
}

#[tokio::test]
async fn nothing_is_told_twice_to_a_client_that_knows_more_than_the_hub() {
    let mut board = board();
    let joined = join(&mut board, Some(102));
    (101..=103).for_each(|position| happen(&mut board, position));
    board.stop(Farewell::Interrupted);
    let feed = Feed::new([frame::hello(102)], 102, joined.inbox, None);
    let expected = ["hello", "conversation.message_posted 103", "goodbye"];
    assert_eq!(told(feed).await, expected);
}

#[tokio::test]
async fn of_one_conversation_nothing_else_is_told() {
    let mut board = board();
    let joined = join(&mut board, None);
    (101..=103).for_each(|position| happen(&mut board, position));
    board.tell(account(1), &token(account(5)));
    board.tell(account(1), &token(account(102)));
    board.stop(Farewell::Shutdown);
    let only = Some(account(102));
    let feed = Feed::new([frame::hello(100)], 100, joined.inbox, only);
    assert_eq!(
        told(feed).await,
        [
            "hello",
            "conversation.message_posted 102",
            "reply.restarted",
            "goodbye"
        ]
    );
}
