//! Gathers pieces of a reply into deltas: shown soon, but not one message a token.

use std::time::Duration;

use tokio::time::Instant;

/// How long text waits to be shown at most.
const WINDOW: Duration = Duration::from_millis(40);
/// Pieces that make a delta at once.
const PIECES: usize = 64;
/// Bytes that make a delta at once.
const BYTES: usize = 8 * 1024;

/// The longest reply that is kept, in bytes; what a model writes beyond is cut off. Even if every
/// byte had to be escaped the event would fit into a message of the broker (1 MB).
const LONGEST: usize = 128 * 1024;

/// The text of a reply so far, and how much of it has been shown.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    text: String,
    shown: usize,
    deltas: u32,
    pieces: usize,
    due: Option<Instant>,
}

impl Tokens {
    /// Adds a piece, without the NUL characters that no store keeps; true when enough is waiting
    /// to be shown at once.
    pub(super) fn push(&mut self, piece: &str) -> bool {
        if self.text.len() + piece.len() > LONGEST {
            return false;
        }
        self.text.extend(piece.chars().filter(|c| *c != '\0'));
        self.pieces += 1;
        self.due.get_or_insert_with(|| Instant::now() + WINDOW);
        self.pieces >= PIECES || self.text.len() - self.shown >= BYTES
    }

    /// Waits until the text that waits has to be shown; for ever when none does.
    pub(super) async fn due(&self) {
        match self.due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    /// What is to be shown next, with its number; nothing when everything is shown.
    pub(super) fn take(&mut self) -> Option<(u32, String)> {
        let text = self
            .text
            .get(self.shown..)
            .filter(|text| !text.is_empty())?;
        let delta = (self.deltas + 1, text.to_owned());
        self.shown = self.text.len();
        self.deltas += 1;
        self.pieces = 0;
        self.due = None;
        Some(delta)
    }

    /// The whole text.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_are_numbered_and_add_up_to_the_text() {
        let mut tokens = Tokens::default();
        assert!(!tokens.push("Grüß "));
        assert!(!tokens.push("Gott"));
        assert_eq!(tokens.take(), Some((1, "Grüß Gott".to_owned())));
        assert_eq!(tokens.take(), None);
        tokens.push("!");
        assert_eq!(tokens.take(), Some((2, "!".to_owned())));
        assert_eq!(tokens.into_text(), "Grüß Gott!");
    }

    #[test]
    fn nul_characters_and_endless_texts_are_cut() {
        let mut tokens = Tokens::default();
        tokens.push("a\0b");
        tokens.push(&"x".repeat(LONGEST));
        assert_eq!(tokens.into_text(), "ab");
    }

    #[test]
    fn many_pieces_are_shown_at_once() {
        let mut tokens = Tokens::default();
        let enough = (1..=PIECES).map(|_| tokens.push("a")).collect::<Vec<_>>();
        assert_eq!(enough.iter().filter(|enough| **enough).count(), 1);
        assert_eq!(enough.last(), Some(&true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_piece_waits_one_window() {
        let mut tokens = Tokens::default();
        tokens.push("a");
        let began = Instant::now();
        tokens.due().await;
        assert_eq!(began.elapsed(), WINDOW);
    }
}
