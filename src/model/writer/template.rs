//! What the templates of a co-pilot consist of, and how a fact takes a placeholder's place.

use super::facts::{About, Facts};

/// How one co-pilot answers.
pub(super) struct Voice {
    /// Said to somebody who has not told anything yet.
    pub(super) opening: &'static str,
    /// The heading above the topics.
    pub(super) outline: &'static str,
    /// What can be written about, in order.
    pub(super) topics: &'static [Topic],
    /// What is asked as long as it is not known.
    pub(super) questions: &'static [Question],
    /// What is asked besides, in order.
    pub(super) deeper: &'static [&'static str],
}

/// A line of an outline.
pub(super) struct Topic {
    pub(super) heading: &'static str,
    /// Beginnings of words which show that a message is about this, a blank before each.
    pub(super) words: &'static [&'static str],
    pub(super) text: &'static str,
}

/// A question about something that is missing.
pub(super) struct Question {
    pub(super) about: About,
    pub(super) text: &'static str,
}

/// Replaces each `{placeholder}` of a template by what is known, or by a general word for it.
pub(super) fn fill(template: &str, facts: &Facts) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        filled.push_str(before);
        filled.push_str(&facts.word_for(name));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_facts_become_general_words() {
        let facts = Facts::of(&Vec::<String>::new());
        assert_eq!(
            fill("How {business} sells {offer} {in_place}.", &facts),
            "How your business sells what you offer where you start."
        );
    }

    #[test]
    fn braces_of_the_person_are_left_alone() {
        let facts = Facts::of(&["A bakery called \"{rivals}\"".to_owned()]);
        assert_eq!(fill("{business}!", &facts), "{rivals}!");
    }
}
