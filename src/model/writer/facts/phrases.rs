//! The rules by which a fact is recognised in a sentence.

use super::padded;
use super::vocabulary::{
    ARTICLES, BEFORE_PLACES, CAPITALISED_BUT_NO_PLACE, CONNECTIVES, CURRENCIES, EMPTY_IDEAS,
    FOUNDING_VERBS, MONEY_WORDS, NO_CUSTOMERS, PEOPLE,
};
use crate::model::writer::trades;

const LONGEST_PHRASE: usize = 6;
const LONGEST_NAME: usize = 40;
const MOST_FIGURES: usize = 4;

/// A word of a message, with and without its punctuation.
#[derive(Debug)]
pub(super) struct Word<'a> {
    bare: &'a str,
    small: String,
    /// Punctuation follows: a phrase cannot go on behind it.
    ends: bool,
}

impl<'a> Word<'a> {
    pub(super) fn all(message: &'a str) -> Vec<Self> {
        message.split_whitespace().map(Self::new).collect()
    }

    fn new(raw: &'a str) -> Self {
        let outside = |letter: char| {
            !letter.is_alphanumeric() && letter != '&' && !CURRENCIES.contains(&letter)
        };
        let bare = raw.trim_matches(outside);
        Self {
            bare,
            small: bare.to_lowercase(),
            ends: raw.ends_with(['.', ',', ';', ':', '!', '?', ')']),
        }
    }

    fn is(&self, list: &[&str]) -> bool {
        list.contains(&self.small.as_str())
    }

    fn has_digit(&self) -> bool {
        self.bare.contains(|letter: char| letter.is_ascii_digit())
    }

    fn is_thousands(&self) -> bool {
        self.bare.len() == 3 && self.bare.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn is_capitalised(&self) -> bool {
        self.bare.starts_with(char::is_uppercase)
    }
}

/// "I want to open a *mobile bike repair service* in Ghent", "grants for my *coffee roastery*".
pub(super) fn idea(words: &[Word<'_>]) -> Option<String> {
    words.iter().enumerate().find_map(|(at, article)| {
        if article.ends || !article.is(&ARTICLES) {
            return None;
        }
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let founded = before.is_some_and(|verb| verb.is(&FOUNDING_VERBS) && !verb.ends);
        let phrase = phrase(&words[at + 1..], |word| !word.is(&CONNECTIVES))?;
        if EMPTY_IDEAS.contains(&phrase.to_lowercase().as_str()) {
            return None;
        }
        let owned = article.is(&["my", "our"]) && trades::find(&padded(&phrase)).is_some();
        (founded || owned).then_some(phrase)
    })
}

/// A name in quotation marks, or one with capitals after "called" or "named".
pub(super) fn name(message: &str, words: &[Word<'_>]) -> Option<String> {
    quoted(message).or_else(|| {
        let after = words
            .iter()
            .position(|word| word.is(&["called", "named"]))?
            + 1;
        phrase(&words[after..], |word| {
            word.is_capitalised() || word.bare == "&"
        })
    })
}

fn quoted(message: &str) -> Option<String> {
    [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')]
        .into_iter()
        .find_map(|(open, close)| {
            let (_, after) = message.split_once(open)?;
            let (name, _) = after.split_once(close)?;
            let name = name.trim();
            let fits = (2..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains('\n');
            fits.then(|| name.to_owned())
        })
}

/// "in *Leeds*", "near *São Paulo*".
pub(super) fn place(words: &[Word<'_>]) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| {
        if word.ends || !word.is(&["in", "near", "around", "at"]) {
            return None;
        }
        let after = &words[at + 1..];
        let after = match after {
            [between, rest @ ..] if between.is(&BEFORE_PLACES) => rest,
            _ => after,
        };
        phrase(after, |word| {
            word.is_capitalised() && !word.is(&CAPITALISED_BUT_NO_PLACE)
        })
    })
}

/// "for *office workers and students*".
pub(super) fn customers(words: &[Word<'_>]) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| {
        if word.ends || word.small != "for" {
            return None;
        }
        let phrase = phrase(&words[at + 1..], |word| {
            word.small == "and" || !(word.is(&CONNECTIVES) || word.is(&ARTICLES))
        })?;
        let last = Word::new(phrase.rsplit(' ').next()?);
        let many = last.is(&PEOPLE) || (last.small.len() > 3 && last.small.ends_with('s'));
        let somebody =
            !last.is(&NO_CUSTOMERS) && !phrase.contains(|letter: char| letter.is_ascii_digit());
        (many && somebody).then_some(phrase)
    })
}

/// Amounts of money and percentages, as the person spelt them.
pub(super) fn figures(words: &[Word<'_>]) -> Vec<String> {
    let mut figures = Vec::new();
    let mut rest = words;
    while let [word, after @ ..] = rest {
        rest = after;
        if !word.has_digit() {
            continue;
        }
        let mut figure = word.bare.to_owned();
        // "40 000 euros": groups of thousands, then the currency.
        while let [next, after @ ..] = rest
            && (next.is_thousands() || next.is(&MONEY_WORDS))
        {
            figure = format!("{figure} {}", next.bare);
            rest = after;
        }
        let has_unit = figure.contains(CURRENCIES)
            || figure.contains(char::is_alphabetic) && figure.contains(' ');
        if has_unit && figures.len() < MOST_FIGURES {
            figures.push(figure);
        }
    }
    figures
}

/// The words from the first on that belong together.
fn phrase(words: &[Word<'_>], belongs: impl Fn(&Word<'_>) -> bool) -> Option<String> {
    let mut phrase = Vec::new();
    for word in words.iter().take(LONGEST_PHRASE) {
        if word.bare.is_empty() || !belongs(word) {
            break;
        }
        phrase.push(word.bare);
        if word.ends {
            break;
        }
    }
    (!phrase.is_empty()).then(|| phrase.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idea_is_what_is_to_be_opened() {
        let table = [
            (
                "I want to open a mobile bike repair service in Ghent.",
                Some("mobile bike repair service"),
            ),
            (
                "We run our family vineyard, since 1970",
                Some("family vineyard"),
            ),
            (
                "grants for my coffee roastery near Porto",
                Some("coffee roastery"),
            ),
            ("My savings are low and my bank says no", None),
            ("I have a question", None),
            ("Help me start a business", None),
            ("How do I plan?", None),
        ];
        for (message, expected) in table {
            assert_eq!(idea(&Word::all(message)).as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn a_name_is_quoted_or_called() {
        let table = [
            (
                "A bakery called \"Crumb & Co\" in Leeds",
                Some("Crumb & Co"),
            ),
            ("It is „Brot & Zeit“ in Graz", Some("Brot & Zeit")),
            ("a bar named Blue Door near the station", Some("Blue Door")),
            ("a so called startup", None),
        ];
        for (message, expected) in table {
            assert_eq!(
                name(message, &Word::all(message)).as_deref(),
                expected,
                "{message}"
            );
        }
    }

    #[test]
    fn a_place_has_a_capital_and_is_no_month() {
        let table = [
            ("a café in Leeds, I think", Some("Leeds")),
            ("somewhere near São Paulo", Some("São Paulo")),
            ("in the Netherlands", Some("Netherlands")),
            ("people in rural Bavaria", Some("Bavaria")),
            ("we open in March", None),
            ("in a garage", None),
        ];
        for (message, expected) in table {
            assert_eq!(place(&Word::all(message)).as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn customers_are_many() {
        let table = [
            (
                "bread for office workers and students in Leeds",
                Some("office workers and students"),
            ),
            ("an app for people", Some("people")),
            ("thanks for your help", None),
            ("I worked for two years", None),
            ("a loan for the oven", None),
        ];
        for (message, expected) in table {
            assert_eq!(
                customers(&Word::all(message)).as_deref(),
                expected,
                "{message}"
            );
        }
    }

    #[test]
    fn figures_keep_their_spelling() {
        let message = "I saved £12,500, need 40 000 euros or 9.000 €, 30% is rent, since 2019";
        assert_eq!(
            figures(&Word::all(message)),
            ["£12,500", "40 000 euros", "9.000 €", "30%"]
        );
    }
}
