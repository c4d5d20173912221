//! Cuts text into pieces of about a token, the way a real model streams it, and counts them.

/// The longest word that is a single piece; longer ones are cut.
const LONGEST_PIECE: usize = 10;

/// The pieces of `text`: a word each, with the blanks before it. Joined, they are `text` again.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(piece_end(rest));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// How many pieces `text` has.
pub(super) fn count(text: &str) -> usize {
    pieces(text).len()
}

/// Where the first piece ends: before the first blank after a letter, or after enough letters.
fn piece_end(text: &str) -> usize {
    let mut letters = 0;
    for (at, letter) in text.char_indices() {
        if letter.is_whitespace() {
            if letters > 0 {
                return at;
            }
        } else if letters == LONGEST_PIECE {
            return at;
        } else {
            letters += 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_a_word_with_the_blanks_before_it() {
        assert_eq!(pieces("Hi,  you\nthere "), ["Hi,", "  you", "\nthere", " "]);
        assert_eq!(pieces("").len(), 0);
    }

    #[test]
    fn long_words_are_cut_between_characters_and_nothing_is_lost() {
        for text in [
            "Donaudampfschifffahrtsgesellschaft",
            "寿司とラーメンのお店を京都で開きたいです",
            "👩🏽‍🍳👩🏽‍🍳👩🏽‍🍳 crème brûlée",
        ] {
            let pieces = pieces(text);
            assert!(pieces.len() > 1, "{text}");
            assert_eq!(pieces.concat(), text);
        }
    }
}
