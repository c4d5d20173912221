//! Text of a given length. What it says does not matter: it is sealed before it is stored.

const WORDS: &str = "The bakery opens at six and sells bread, rolls and cakes to the neighbourhood; \
    rent and wages are the largest costs, and most customers come before noon on their way to work. ";

/// `characters` characters of prose.
pub(super) fn prose(characters: usize) -> String {
    WORDS.chars().cycle().take(characters).collect()
}
