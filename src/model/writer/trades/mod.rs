//! Kinds of business and what is particular about each: what it sells, against whom, and what
//! it costs to run.

mod list;

use list::TRADES;

/// A kind of business. Every text completes a sentence of a template.
#[derive(Debug)]
pub(super) struct Trade {
    /// What a person calls it, in small letters without punctuation.
    words: &'static [&'static str],
    pub(super) noun: &'static str,
    pub(super) offer: &'static str,
    /// What is sold once.
    pub(super) unit: &'static str,
    pub(super) rivals: &'static str,
    pub(super) costs: &'static str,
    pub(super) permit: &'static str,
    pub(super) channel: &'static str,
}

/// The words for a business that is not in the list.
pub(super) const ANY: Trade = Trade {
    words: &[],
    noun: "business",
    offer: "what you offer",
    unit: "sale",
    rivals: "whoever they use today, or nobody",
    costs: "people, a place to work, tools, insurance",
    permit: "registration, insurance, and any licence of your trade",
    channel: "the people you know who have the problem",
};

/// The trade that a text names first; `heard` is padded with blanks.
pub(super) fn find(heard: &str) -> Option<&'static Trade> {
    let first = |trade: &Trade| {
        let places = trade.words.iter().filter_map(|word| {
            let at = heard
                .find(&format!(" {word} "))
                .or_else(|| heard.find(&format!(" {word}s ")))?;
            Some((at, usize::MAX - word.len()))
        });
        places.min()
    };
    TRADES
        .iter()
        .filter_map(|trade| Some((first(trade)?, trade)))
        .min_by_key(|(place, _)| *place)
        .map(|(_, trade)| trade)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::writer::facts::padded;

    #[test]
    fn the_trade_that_is_named_first_wins_and_a_longer_name_before_a_shorter() {
        let table = [
            ("An app for restaurants", Some("software product")),
            ("Our coffee shop needs a website", Some("café")),
            ("An online shop for dog food", Some("online shop")),
            ("Two bakeries.", Some("bakery")),
            ("I will be barely happy", None),
        ];
        for (message, noun) in table {
            let found = find(&padded(message)).map(|trade| trade.noun);
            assert_eq!(found, noun, "{message}");
        }
    }
}
